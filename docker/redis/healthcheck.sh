#!/bin/sh
# usage: healthcheck
# Asks as `health`, who needs no password and may do nothing but PING; loading data is no PONG.
set -eu

answer=$(redis-cli -h 127.0.0.1 --no-auth-warning --user health --pass none ping)
[ "$answer" = PONG ]
