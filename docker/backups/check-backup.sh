#!/bin/sh
# usage: check-backup DUMP FOLDER TABLE-ROWS
# Restores DUMP into a server of its own below FOLDER, and compares the number of rows of every
# table. It touches no other server and needs no role there. FOLDER goes afterwards.
set -eu

dump=$1 folder=$2 expected=$3
SHARE=${BACKUP_SHARE:-/usr/local/share/backups}
ROLES='devportal_migrator devportal_user devportal_backup'
unset PGPASSFILE PGUSER PGDATABASE
export PGHOST=/tmp

clean() {
    [ ! -e "$folder/data/postmaster.pid" ] ||
        pg_ctl stop --pgdata="$folder/data" --mode=immediate --silent || :
    rm -rf "$folder"
}

# usage: ask DATABASE PSQL-OPTION...
ask() {
    database=$1
    shift
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
        --username=postgres --dbname="$database" "$@"
}

start_server() {
    initdb --pgdata="$folder/data" --username=postgres --auth=trust --no-sync \
        --encoding=UTF8 --locale=C.UTF-8 >/dev/null
    pg_ctl start --pgdata="$folder/data" --silent --wait --log="$folder/log" --options="\
-c listen_addresses= -c unix_socket_directories=/tmp -c max_connections=10 -c fsync=off \
-c shared_buffers=16MB -c jit=off"
}

trap clean EXIT
trap 'exit 1' TERM INT
rm -rf "$folder"
mkdir "$folder"
start_server
for role in $ROLES; do
    ask postgres --command="CREATE ROLE $role"
done
ask postgres --command='CREATE DATABASE restored TEMPLATE template0'
pg_restore --username=postgres --dbname=restored --exit-on-error --single-transaction "$dump"
found=$(ask restored --file="$SHARE/table-rows.sql")
[ "$found" = "$expected" ] || {
    echo "every table should have the rows of the manifest, $expected (got $found)" >&2
    exit 1
}
