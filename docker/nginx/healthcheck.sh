#!/bin/sh
# Ends with 0 if nginx responds; the portal has a health check of its own.
set -eu

exec curl --fail --silent --show-error --max-time 4 --output /dev/null \
    http://127.0.0.1:8089/healthz
