#!/bin/sh
# usage: healthcheck
# Fails while Prometheus answers no query: it may still read the series of before.
set -eu

exec promtool query instant http://127.0.0.1:9090 1
