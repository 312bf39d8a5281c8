#!/bin/sh
# usage: start-postgres [postgres] [OPTION...] | COMMAND...
# Starts the server with our configuration. A first start completes or leaves nothing: the base
# image fills a folder beside the data, which then takes the data's place.
# With EMPTY_VOLUME=refuse a first start needs a permit, the file .begin-empty, and removes it.
set -eu

UNFINISHED=$PGDATA/.first-start
PERMIT=$PGDATA/.begin-empty

# A cluster with its first write-ahead log, and room to work.
FIRST_START_MB=128
# A segment of the write-ahead log, and a little.
LEAST_MB=20

# usage: stop_with MESSAGE
stop_with() {
    echo "postgres: $1" >&2
    trap - EXIT
    exit 1
}

# Whatever ends the start, the last line of the log tells what to do.
explain_end() {
    status=$?
    [ "$status" != 0 ] || return 0
    require_room "$LEAST_MB"
    stop_with "$PGDATA: should hold a database that starts (got an error, see above). Correct what \
it names; if files are damaged, restore a backup: docs/operations.md, \"Data\"."
}

check_secrets() {
    for name in postgres_password migrator_password app_password backup_password; do
        [ -n "$(tr -d '\0' 2>/dev/null <"/run/secrets/$name")" ] ||
            stop_with "/run/secrets/$name: should be a file with a password, readable by user \
$(id -u) (got none). Run \`make up\`, which writes it again."
    done
}

# usage: require_room MEGABYTES
require_room() {
    free=$(df -Pm "$PGDATA" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$1" ] ||
        stop_with "$PGDATA: should have $1 MB of room (got $free MB). Enlarge the disk, or delete \
what is not the database's, then run \`make up\`."
}

check_folder() {
    said=$(cp /etc/postgresql/backup-role.sql "$PGDATA/.probe" 2>&1) || case $said in
        *'No space left'*) require_room "$LEAST_MB" ;;
        *)
            stop_with "$PGDATA: should be writable by user $(id -u) (got: ${said##*: }). Mount it \
for writing, and make that user its owner."
            ;;
    esac
    rm -f "$PGDATA/.probe"
}

check_version() {
    ours=$(postgres --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    theirs=$(tr -cd '0-9.' <"$PGDATA/PG_VERSION")
    [ "$theirs" = "$ours" ] ||
        stop_with "$PGDATA: should hold a database of PostgreSQL $ours (got version \
${theirs:-none}). Start the version of the stack that it was made with, take a backup, and restore \
that with this one: docs/operations.md, \"Another major version of PostgreSQL\"."
}

# Small files in which a power loss left NULs, or nothing. PG_VERSION stands in each database too;
# of what ALTER SYSTEM set, nothing is the stack's.
mend_small_files() {
    version=$PGDATA/PG_VERSION system=$PGDATA/postgresql.auto.conf
    if [ -e "$version" ] && [ -z "$(tr -cd '0-9' <"$version")" ]; then
        cp "$PGDATA/base/1/PG_VERSION" "$version"
        echo "postgres: $version: should name a version (got none). Taken from base/1."
    fi
    if [ -e "$system" ] && [ "$(tr -d '\0' <"$system" | wc -c)" != "$(wc -c <"$system")" ]; then
        mv "$system" "$system.damaged"
        echo "postgres: $system: should be text (got NULs). Set aside as $system.damaged."
    fi
}

check_emptiness() {
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
    check_emptiness
    require_room "$FIRST_START_MB"
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
        -c log_min_error_statement=panic -c log_min_duration_statement=-1 devportal >/dev/null
}

case ${1:-} in
    '' | -*) set -- postgres "$@" ;;
esac
[ "$1" = postgres ] || exec docker-entrypoint.sh "$@"
shift
set -- postgres -c config_file=/etc/postgresql/postgresql.conf "$@"

trap explain_end EXIT
check_folder
# Left by a server that was killed. Another process of this container may have its id by now, and
# PostgreSQL would take that one for a running server.
rm -f "$PGDATA/postmaster.pid"
mend_small_files
if [ -s "$PGDATA/PG_VERSION" ]; then
    check_version
    set_passwords "$@"
else
    fill_data_folder "$@"
fi
exec docker-entrypoint.sh "$@"
