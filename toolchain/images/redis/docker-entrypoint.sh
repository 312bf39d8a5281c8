#!/bin/sh
# usage: docker-entrypoint.sh [redis-server] [FILE.conf] [OPTION...] | COMMAND...
# Starts Redis on /data, as its own user even where the container starts as root.
set -eu

case ${1:-} in
    '' | -* | *.conf) set -- redis-server "$@" ;;
esac

if [ "$1" = redis-server ]; then
    if [ "$(id -u)" = 0 ]; then
        find /data \! -user redis -exec chown redis:redis {} +
        exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
    fi
    umask 0077
fi

exec "$@"
