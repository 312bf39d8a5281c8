#!/bin/sh
# Ends with 0 if nginx answers; whether the portal does is the portal's own health.
set -eu

exec curl --fail --silent --show-error --max-time 4 --output /dev/null \
    http://127.0.0.1:8089/healthz
