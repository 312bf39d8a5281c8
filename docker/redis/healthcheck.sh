#!/bin/sh
# usage: healthcheck
# Sends a PING as the user `health`, which needs no password and may do nothing else. A server
# that is still loading its data does not reply PONG.
set -eu

answer=$(redis-cli -h 127.0.0.1 --no-auth-warning --user health --pass none ping)
[ "$answer" = PONG ]
