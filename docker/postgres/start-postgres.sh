#!/bin/sh
# usage: start-postgres [postgres] [OPTION...] | COMMAND...
# Starts the server with our configuration. A first start completes or leaves nothing: the base
# image fills a folder beside the data, which then takes the data's place.
# With EMPTY_VOLUME=refuse a first start needs a permit, the file .begin-empty, and removes it.
set -eu

UNFINISHED=$PGDATA/.first-start
PERMIT=$PGDATA/.begin-empty

# usage: stop_with MESSAGE
stop_with() {
    echo "postgres: $1" >&2
    exit 1
}

check_secrets() {
    for name in postgres_password migrator_password app_password backup_password; do
        [ -s "/run/secrets/$name" ] && [ -r "/run/secrets/$name" ] ||
            stop_with "/run/secrets/$name: should be a file with a password, readable by user \
$(id -u) (got none). Mount it."
    done
}

check_data_folder() {
    [ -w "$PGDATA" ] ||
        stop_with "$PGDATA: should be writable by user $(id -u) (got: it is not). Make that \
user the owner of the volume."
    [ ! -e "$UNFINISHED" ] || return 0
    [ -z "$(find "$PGDATA" -mindepth 1 -maxdepth 1 ! -path "$PERMIT")" ] ||
        stop_with "$PGDATA: should be empty or hold a database (got files, but no PG_VERSION). \
Use another volume, or restore this one."
    [ -e "$PERMIT" ] || [ "${EMPTY_VOLUME:-}" != refuse ] ||
        stop_with "$PGDATA: should hold the stack's database (got an empty volume). Bring the \
volume back; or, to start with an empty database on purpose, set devportal:postgres.fresh_start \
to a new word, such as the date, and run \`make up\`."
}

# The mark of an unfinished first start is there before the permit goes.
clear_data_folder() {
    if [ -e "$UNFINISHED" ]; then
        echo 'postgres: an earlier first start was interrupted; starting over'
        find "$PGDATA" -mindepth 1 -maxdepth 1 ! -path "$UNFINISHED" -exec rm -rf {} +
        find "$UNFINISHED" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    fi
    mkdir -p "$UNFINISHED"
    rm -f "$PERMIT"
}

# usage: move_into_place; PG_VERSION, the mark of a database, goes last.
move_into_place() {
    for entry in "$UNFINISHED"/*; do
        [ "${entry##*/}" = PG_VERSION ] || mv "$entry" "$PGDATA/"
    done
    mv "$UNFINISHED/PG_VERSION" "$PGDATA/"
    rmdir "$UNFINISHED"
}

# usage: fill_data_folder postgres [OPTION...]
fill_data_folder() {
    check_secrets
    check_data_folder
    chmod 0700 "$PGDATA"
    clear_data_folder
    PGDATA=$UNFINISHED docker-ensure-initdb.sh "$@"
    move_into_place
}

# usage: set_password ROLE FILE; a statement on one line, as single-user mode reads them.
set_password() {
    password=$(sed "s/'/''/g" "/run/secrets/$2")
    printf "ALTER ROLE %s PASSWORD '%s';\n" "$1" "$password"
}

# usage: set_passwords postgres [OPTION...]
# The secrets may be newer than the data: rotated, or generated anew after the state was lost.
# The data may be older than a role. Single-user mode takes no connection; what it would log of
# the statements is turned off.
set_passwords() {
    check_secrets
    shift
    {
        cat /etc/postgresql/backup-role.sql
        set_password postgres postgres_password
        set_password devportal_migrator migrator_password
        set_password devportal_user app_password
        set_password devportal_backup backup_password
    } | postgres --single -D "$PGDATA" "$@" -c log_statement=none -c log_min_messages=warning \
        -c log_min_error_statement=panic -c log_min_duration_statement=-1 devportal >/dev/null ||
        stop_with "$PGDATA: should take the roles' passwords (got an error, see above)."
}

case ${1:-} in
    '' | -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec docker-entrypoint.sh "$@"
shift
set -- postgres -c config_file=/etc/postgresql/postgresql.conf "$@"

# Left by a server that was killed. Another process of this container may have its id by now, and
# PostgreSQL would take that one for a running server.
rm -f "$PGDATA/postmaster.pid"
if [ -s "$PGDATA/PG_VERSION" ]; then
    set_passwords "$@"
else
    fill_data_folder "$@"
fi
exec docker-entrypoint.sh "$@"
