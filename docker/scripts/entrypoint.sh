#!/bin/sh
# usage: entrypoint.sh COMMAND...
# Checks the settings, waits for PostgreSQL and Redis, brings the schema up to date if MIGRATE=true,
# adds example data if SEED=true, then becomes COMMAND. In production a container of its own runs
# the migrations: the portal's have neither the migrator's credentials nor MIGRATE.
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
case "${MIGRATE:-false} ${SEED:-false}" in
    "true true") python -m app migrate seed ;;
    "true "*) python -m app migrate create-admin ;;
    *" true") python -m app seed ;;
esac
exec "$@"
