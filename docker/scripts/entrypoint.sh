#!/bin/sh
# usage: entrypoint.sh COMMAND...
# Starts the portal: settings first, then what it depends on, then the schema, then COMMAND.
set -eu

WAIT_SECONDS=${WAIT_SECONDS:-60}

# usage: read_url NAME; the variable NAME, or the text of the file that NAME_FILE names
read_url() {
    value='' file=''
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    if [ -n "$file" ]; then
        cat "$file"
    else
        echo "$value"
    fi
}

# usage: wait_for URL DEFAULT-PORT
# Only the address leaves the URL: a command line can be seen by every process.
wait_for() {
    address=${1#*://}
    address=${address%%[/?]*}
    address=${address##*@}
    case $address in
        *:*) ;;
        *) address=$address:$2 ;;
    esac
    wait-for-it.sh "$address" --strict --timeout "$WAIT_SECONDS"
}

python -m app check
wait_for "$(read_url DATABASE_URL)" 5432
wait_for "$(read_url REDIS_URL)" 6379
if [ "${SEED:-false}" = true ]; then
    python -m app migrate seed
else
    python -m app migrate create-admin
fi
exec "$@"
