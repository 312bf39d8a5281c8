#!/bin/sh
# usage: docker-entrypoint.sh [postgres] [OPTION...] | COMMAND...
#        docker-ensure-initdb.sh [postgres] [OPTION...]
# Fills an empty $PGDATA once, as the variables and /docker-entrypoint-initdb.d/ say, then starts
# PostgreSQL; under its second name it ends before that start. The contract is what the stack uses
# of the one that the official image documents.
set -eu

# usage: read_variable NAME [DEFAULT]
# Export NAME: its own value, else the text of the file that NAME_FILE names, else the default.
read_variable() {
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    [ -z "$file" ] || value=$(cat "$file")
    export "$1=${value:-${2:-}}"
    unset "$1_FILE"
}

create_cluster() {
    # The arguments are a command line, quotes included; the password is on none.
    printf '%s\n' "$POSTGRES_PASSWORD" |
        eval "initdb --username=postgres --pwfile=/dev/stdin ${POSTGRES_INITDB_ARGS:-}"
    printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
}

# usage: start_private_server postgres [OPTION...]
# Nobody but this script can reach it: it listens on its socket alone.
start_private_server() {
    "$@" -c listen_addresses= &
    server=$!
    until pg_isready --quiet --host=/var/run/postgresql; do
        kill -0 "$server" || exit 1 # the server has said why
        sleep 0.1
    done
}

stop_private_server() {
    kill -INT "$server"
    wait "$server"
}

# usage: run_sql [PSQL-OPTION...]
run_sql() {
    psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 --host=/var/run/postgresql \
        --username=postgres --dbname="$POSTGRES_DB" "$@"
}

create_database() {
    [ "$POSTGRES_DB" = postgres ] && return
    echo 'CREATE DATABASE :"name";' | run_sql --dbname=postgres --set=name="$POSTGRES_DB"
}

# usage: initialise postgres [OPTION...]
initialise() {
    read_variable POSTGRES_PASSWORD
    read_variable POSTGRES_DB postgres
    create_cluster
    start_private_server "$@"
    create_database
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ ! -f "$file" ] || run_sql --file="$file"
    done
    stop_private_server
}

case ${1:-} in
    '' | -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec "$@"
# In a shell of its own, so that the server does not inherit the password.
[ -s "$PGDATA/PG_VERSION" ] || (initialise "$@")
[ "${0##*/}" != docker-ensure-initdb.sh ] || exit 0
exec "$@"
