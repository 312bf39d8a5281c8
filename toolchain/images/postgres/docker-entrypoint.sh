#!/bin/sh
# usage: docker-entrypoint.sh [postgres] [OPTION...] | COMMAND...
#        docker-ensure-initdb.sh [postgres] [OPTION...]
# Fills an empty $PGDATA once, as the variables and /docker-entrypoint-initdb.d/ say, then starts
# PostgreSQL; under its second name it ends before that start. The contract is the one the
# official image documents.
set -eu

# usage: stop_with MESSAGE
stop_with() {
    echo "postgres: $1" >&2
    exit 1
}

# usage: read_variable NAME [DEFAULT]
# Export NAME: its own value, else the text of the file that NAME_FILE names, else the default.
read_variable() {
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    if [ -n "$value" ] && [ -n "$file" ]; then
        stop_with "$1: should be given once (got $1 and $1_FILE). Unset one of them."
    fi
    if [ -n "$file" ]; then
        [ -r "$file" ] || stop_with "$1_FILE: should name a readable file (got '$file'). Mount it."
        value=$(cat "$file")
    fi
    [ -n "$value" ] || value=${2:-}
    export "$1=$value"
    unset "$1_FILE"
}

read_variables() {
    read_variable POSTGRES_PASSWORD
    read_variable POSTGRES_USER postgres
    read_variable POSTGRES_DB "$POSTGRES_USER"
    read_variable POSTGRES_INITDB_ARGS
    if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        stop_with "POSTGRES_PASSWORD: should not be empty (got nothing). Set it or \
POSTGRES_PASSWORD_FILE; POSTGRES_HOST_AUTH_METHOD=trust lets everyone in without."
    fi
}

# usage: create_cluster postgres [OPTION...]
create_cluster() {
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA"
    # The arguments are a command line, quotes included; the password is on none.
    printf '%s\n' "$POSTGRES_PASSWORD" |
        eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=/dev/stdin $POSTGRES_INITDB_ARGS"
    method=${POSTGRES_HOST_AUTH_METHOD:-$("$@" -C password_encryption)}
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
}

# usage: start_private_server postgres [OPTION...]
# Nobody but this script can reach it: it listens on its socket alone.
start_private_server() {
    "$@" -c listen_addresses= &
    server=$!
    until pg_isready --quiet --host=/var/run/postgresql; do
        kill -0 "$server" || stop_with "server: should start (got its end). See the lines above."
        sleep 0.1
    done
}

stop_private_server() {
    kill -INT "$server"
    wait "$server"
}

# usage: run_sql [PSQL-OPTION...]
run_sql() {
    PGHOST='' PGHOSTADDR='' psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 \
        --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" "$@"
}

create_database() {
    [ "$POSTGRES_DB" = postgres ] && return
    echo 'CREATE DATABASE :"name";' | run_sql --dbname=postgres --set=name="$POSTGRES_DB"
}

# usage: run_init_file FILE
run_init_file() {
    echo "postgres: running $1"
    case $1 in
        *.sh)
            # shellcheck disable=SC1090
            if [ -x "$1" ]; then "$1"; else . "$1"; fi
            ;;
        *.sql) run_sql --file="$1" ;;
        *.sql.gz) gunzip -c "$1" | run_sql ;;
        *) echo "postgres: left out: not .sh, .sql or .sql.gz" ;;
    esac
}

# usage: initialise postgres [OPTION...]
initialise() {
    read_variables
    create_cluster "$@"
    start_private_server "$@"
    create_database
    for file in /docker-entrypoint-initdb.d/*; do
        [ ! -f "$file" ] || run_init_file "$file"
    done
    stop_private_server
}

# usage: become_postgres COMMAND...
become_postgres() {
    mkdir -p "$PGDATA"
    find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres:postgres {} +
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
}

main() {
    case ${1:-} in
        '' | -*) set -- postgres "$@" ;;
    esac
    case " $* " in
        *' --help '* | *' -? '* | *' --version '* | *' -V '* | *' --describe-config '*) exec "$@" ;;
    esac
    [ "$1" = postgres ] || exec "$@"
    [ "$(id -u)" != 0 ] || become_postgres "$0" "$@"
    # In a shell of its own, so that the server does not inherit the password.
    [ -s "$PGDATA/PG_VERSION" ] || (initialise "$@")
    [ "${0##*/}" != docker-ensure-initdb.sh ] || exit 0
    exec "$@"
}

main "$@"
