#!/bin/sh
# usage: healthcheck
# Fails when the last backup is overdue or failed, or could not be restored.
set -eu

exec backups health
