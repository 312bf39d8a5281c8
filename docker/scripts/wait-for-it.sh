#!/bin/sh
# Waits until an address accepts connections; see usage below.
set -eu

usage() {
    cat <<'TEXT'
usage: wait-for-it.sh HOST:PORT [OPTION...] [-- COMMAND...]
Waits until HOST:PORT accepts TCP connections, then runs COMMAND.
  -t, --timeout SECONDS   give up after so long; 0 waits for ever (default 60)
  -i, --interval SECONDS  time between two tries (default 0.5)
  -s, --strict            run COMMAND only if the address accepted a connection
  -q, --quiet             print nothing but mistakes
Ends with 0 if the address accepted a connection (or with COMMAND's status), 1 if not, 2 on a mistake.
TEXT
}

PROBE='
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
except OSError as error:
    print(error.strerror or error)
    sys.exit(1)
'

# usage: refuse MESSAGE
refuse() {
    echo "wait-for-it: $1" >&2
    exit 2
}

say() {
    [ "$quiet" = yes ] || echo "wait-for-it: $1" >&2
}

# usage: check_number OPTION VALUE
check_number() {
    case $1,$2 in
        # The shell has no other arithmetic.
        -t,*.* | --timeout,*.*) refuse "$1: should be whole seconds (got '$2'). See --help." ;;
        *, | *,. | *,*[!0-9.]* | *,*.*.*)
            refuse "$1: should be a number of seconds (got '$2'). See --help."
            ;;
    esac
}

# usage: wait_for_address; status 1 when the time is up
wait_for_address() {
    started=$(date +%s)
    until reason=$(python3 -c "$PROBE" "$host" "$port"); do
        elapsed=$(($(date +%s) - started))
        if [ "$timeout" != 0 ] && [ "$elapsed" -ge "$timeout" ]; then
            echo "wait-for-it: $host:$port should accept connections within $timeout s" \
                "(got: $reason). Start it, or give it longer with --timeout." >&2
            return 1
        fi
        sleep "$interval"
    done
    say "$host:$port accepts connections"
}

# usage: split_address HOST:PORT
split_address() {
    host=${1%:*} port=${1##*:}
    case $port in
        '' | *[!0-9]*) host='' ;;
    esac
    case $1 in
        *:*) ;;
        *) host='' ;;
    esac
    [ -n "$host" ] || refuse "address: should be HOST:PORT (got '$1'). See --help."
}

address='' timeout=60 interval=0.5 strict=no quiet=no
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        -s | --strict) strict=yes ;;
        -q | --quiet) quiet=yes ;;
        --timeout=* | --interval=*)
            option=${1%%=*} value=${1#*=}
            shift
            set -- "$option" "$value" "$@"
            continue
            ;;
        -t | --timeout | -i | --interval)
            [ $# -ge 2 ] || refuse "$1: should have a value (got none). See --help."
            check_number "$1" "$2"
            case $1 in
                -t | --timeout) timeout=$2 ;;
                *) interval=$2 ;;
            esac
            shift
            ;;
        --)
            shift
            break
            ;;
        -*) refuse "option: should be a known one (got '$1'). See --help." ;;
        *) address=$1 ;;
    esac
    shift
done

split_address "$address"
status=0
wait_for_address || status=1
if [ $# -eq 0 ] || { [ "$status" != 0 ] && [ "$strict" = yes ]; }; then
    exit "$status"
fi
exec "$@"
