#!/bin/sh
# usage: reload-nginx DRAIN-SECONDS
# Has nginx read its configuration again, waits until new workers serve, then until the old ones
# have ended with their last request, for DRAIN-SECONDS at most. A request that an old worker is
# still receiving has not gone to a replica yet: it will go to one that the old worker knows.
set -eu

drain_seconds=$1
start_seconds=10

# usage: workers any|accepting; their process ids
workers() {
    for folder in /proc/[0-9]*; do
        title=$(tr '\0' ' ' 2>/dev/null <"$folder/cmdline" || :)
        case $title in
            'nginx: worker process is shutting down'*) [ "$1" = any ] || continue ;;
            'nginx: worker process'*) ;;
            *) continue ;;
        esac
        echo "${folder#/proc/}"
    done
}

# usage: any_lives ID...
any_lives() {
    for id in "$@"; do
        if [ -d "/proc/$id" ]; then
            return 0
        fi
    done
    return 1
}

# usage: has_new ID...; whether there are workers, and none of them is one of ID...
has_new() {
    accepting=$(workers accepting)
    [ -n "$accepting" ] || return 1
    for id in $accepting; do
        case " $* " in
            *" $id "*) return 1 ;;
        esac
    done
}

# usage: now; seconds since the machine's start, from a clock that cannot be set
now() {
    cut -d. -f1 /proc/uptime
}

old=$(workers any | tr '\n' ' ')
started=$(now)
kill -HUP "$(cat /tmp/nginx.pid)"
# shellcheck disable=SC2086
until has_new $old; do
    if [ $(($(now) - started)) -ge "$start_seconds" ]; then
        echo "nginx: should start new workers within $start_seconds s (got none)." >&2
        exit 1
    fi
    sleep 0.05
done
# shellcheck disable=SC2086
while any_lives $old && [ $(($(now) - started)) -le "$drain_seconds" ]; do
    sleep 0.05
done
