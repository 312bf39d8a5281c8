#!/bin/sh
# usage: prepare-database          make the portal's database and roles, and set their passwords
#        prepare-database check    fail where the portal's roles cannot log in
# On a PostgreSQL that the stack does not run; PGHOST, PGPORT, PGUSER and PGSSLMODE say where and as
# whom, STACK for which stack. It may run as often as it likes.
set -eu

SETTING=devportal:postgres.external_url
OLDEST=14
LOGINS='devportal_migrator:migrator_password devportal_user:app_password
devportal_backup:backup_password'

# usage: stop_with MESSAGE
stop_with() {
    echo "postgres: $(echo "$1" | tr '\n' ' ')" >&2
    exit 1
}

# usage: ask DATABASE PSQL-OPTION...
ask() {
    database=$1
    shift
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$database" "$@"
}

check_server() {
    said=$(ask postgres --command="SELECT current_setting('server_version_num')::int / 10000,
        rolsuper OR rolcreaterole AND rolcreatedb FROM pg_roles WHERE rolname = current_user" 2>&1) ||
        stop_with "$SETTING: should lead to a server that lets its user in (got: $said). Correct \
it, or let this machine reach that server."
    # A warning may come first: of a collation that another version of the system has, for one.
    said=$(echo "$said" | tail -n 1)
    theirs=${said%|*} ours=$(psql --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    # Backups: pg_dump knows no server that is newer than itself.
    [ "$theirs" -ge "$OLDEST" ] && [ "$theirs" -le "$ours" ] ||
        stop_with "$SETTING: should lead to PostgreSQL $OLDEST to $ours (got $theirs). Use a server \
of such a version."
    [ "${said#*|}" = t ] ||
        stop_with "$SETTING: should name a role that may create roles and databases (got $PGUSER). \
Run \`ALTER ROLE \"$PGUSER\" CREATEROLE CREATEDB\` as its administrator, or name another."
}

# Another stack with the same URL would take the first one's passwords and schema from it. The mark is
# on a role: a database that was restored has lost its own.
check_owner() {
    owner=$(ask postgres --command="SELECT shobj_description(oid, 'pg_authid') FROM pg_roles
        WHERE rolname = 'devportal_migrator'")
    [ -z "$owner" ] || [ "$owner" = "stack $STACK" ] ||
        stop_with "$SETTING: should lead to a server that no other stack uses (got: it is $owner's). \
Use another, or hand it over with \`COMMENT ON ROLE devportal_migrator IS NULL\`."
}

make_database() {
    ask postgres --file=- <<'EOF'
SELECT 'CREATE DATABASE devportal ENCODING ''UTF8'' TEMPLATE template0'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'devportal') \gexec
EOF
    ask devportal --set=VERBOSITY=terse --file=/etc/postgresql/roles.sql
    ask devportal --command="COMMENT ON ROLE devportal_migrator IS 'stack $STACK'"
}

# usage: set_password ROLE FILE
# psql sends a digest, which is all that a server's log can tell. Without a terminal it reads the
# password, twice, from its input.
set_password() {
    password=$(cat "/run/secrets/$2")
    said=$(printf '%s\n%s\n' "$password" "$password" |
        setsid psql --no-psqlrc --quiet --dbname=devportal --command="\\password $1" 2>&1) ||
        stop_with "$1: should get its password (got: $said)."
}

check_login() {
    said=$(PGPASSWORD=$(cat "/run/secrets/$2") ask devportal --username="$1" --command='SELECT' 2>&1) ||
        stop_with "$1: should be let in with the password of the stack (got: $said)."
}

# usage: for_each COMMAND
for_each() {
    for login in $LOGINS; do
        "$1" "${login%:*}" "${login#*:}"
    done
}

case ${1:-} in
    '')
        check_server
        check_owner
        PGOPTIONS='-c client_min_messages=warning' make_database
        for_each set_password
        for_each check_login
        ;;
    check) for_each check_login ;;
    *) stop_with "should be check, or nothing (got '$1')." ;;
esac
