#!/bin/sh
# usage: await-peers SECONDS HOST:PORT...
# Waits until requests through nginx have reached every one of the peers.
set -eu

seconds=$1
shift
started=$(cut -d. -f1 /proc/uptime)

# usage: address HOST:PORT; as nginx logs it
address() {
    found=$(getent hosts "${1%:*}" | cut -d' ' -f1)
    echo "${found:-unknown}:${1##*:}"
}

for peer in "$@"; do
    wanted=$(address "$peer")
    until curl --silent --max-time 5 --output /dev/null --write-out '%header{x-upstream}' \
        http://127.0.0.1:8089/peer | grep -qF "$wanted"; do
        if [ $(($(cut -d. -f1 /proc/uptime) - started)) -ge "$seconds" ]; then
            echo "nginx: should reach $peer within $seconds s (got no response from it)." >&2
            exit 1
        fi
        sleep 0.02
        wanted=$(address "$peer")
    done
done
