#!/bin/sh
# usage: healthcheck
# Connects over TCP: the temporary server of a first start listens on its socket alone.
set -eu

exec pg_isready --quiet --host=127.0.0.1 --username=devportal_user --dbname=devportal
