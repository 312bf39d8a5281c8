#!/bin/sh
# usage: backups run            take backups on schedule and test them, until stopped
#        backups take           take one now; its name
#        backups check NAME     restore one on the side, compare it, note the result
#        backups verify NAME    compare its checksum alone
#        backups list           a line of JSON for each, oldest first
#        backups send NAME      the dump itself
#        backups health         fail where something needs attention
# A backup is a folder of /backups: database.dump, manifest.json and, once tested, check.json.
# It is written under another name and renamed when all of it is on the disk.
set -eu

STORE=${BACKUP_STORE:-/backups}
SHARE=${BACKUP_SHARE:-/usr/local/share/backups}
UNFINISHED=$STORE/.unfinished
FAILURE=$STORE/.failure
RETRY_SECONDS=60
# A backup that takes longer is no reason to wait for it, or to end it.
LONG_SECONDS=10
LONGEST_PAUSE_SECONDS=${BACKUP_LONGEST_PAUSE_SECONDS:-60}

# usage: stop_with MESSAGE
stop_with() {
    echo "backups: $1" >&2
    exit 1
}

now() {
    date -u +%s
}

# usage: show_time; the moment, as manifests have it
show_time() {
    date -u +%Y-%m-%dT%H:%M:%SZ
}

# usage: is_whole FILE; whether all of this JSON was written: a power loss leaves nothing, or NULs
is_whole() {
    [ "$(tail -c 2 "$1" 2>/dev/null)" = '}' ]
}

# All names, oldest first; a name begins with the time.
names() {
    for folder in "$STORE"/[0-9]*T[0-9]*Z*; do
        [ ! -d "$folder" ] || echo "${folder##*/}"
    done
}

# Those that can be restored, but not one of a day to come: the clock may have been wrong.
whole_names() {
    for name in $(names); do
        ! is_whole "$STORE/$name/manifest.json" || echo "$name"
    done | awk -v now="$(date -u +%Y%m%dT%H%M%SZ)" '$1 < now "~"'
}

newest() {
    whole_names | tail -n 1
}

# usage: newest_tested passed|failed|''; the newest one with that result, or with any
newest_tested() {
    for name in $(whole_names); do
        check=$STORE/$name/check.json
        ! is_whole "$check" || ! grep -q "\"result\": \"$1" "$check" || echo "$name"
    done | tail -n 1
}

# usage: taken_at NAME; in seconds
taken_at() {
    date -u -d "$(echo "$1" | sed 's/^\(....\)\(..\)\(..\)T\(..\)\(..\)\(..\)Z.*/\1-\2-\3 \4:\5:\6/')" +%s
}

# usage: tested_at NAME; in seconds
tested_at() {
    date -u -d "$(sed -n 's/.*"checked_at": "\(.*\)T\(.*\)Z".*/\1 \2/p' "$STORE/$1/check.json")" +%s
}

# usage: read_manifest NAME KEY; its text without quotes
read_manifest() {
    sed -n "s/^  \"$2\": \"\{0,1\}\(.*[^\",]\)\"\{0,1\},\{0,1\}\$/\1/p" "$STORE/$1/manifest.json"
}

# usage: require NAME
require() {
    case ${1:-} in
        '' | .* | */*) ;;
        *) ! is_whole "$STORE/$1/manifest.json" || return 0 ;;
    esac
    stop_with "$STORE: should hold a whole backup of that name (got '${1:-}')."
}

# usage: replace FILE; from standard input, whole or not at all
replace() {
    cat >"$1.new"
    sync "$1.new"
    mv "$1.new" "$1"
}

# usage: under_lock COMMAND...; one at a time, also with one that is run by hand
under_lock() {
    exec 9>"$STORE/.lock"
    flock 9
    "$@"
}

# --- taking one

free_name() {
    base=$(date -u +%Y%m%dT%H%M%SZ) name=$base number=2
    while [ -e "$STORE/$name" ]; do
        name=$base-$number number=$((number + 1))
    done
    echo "$name"
}

# usage: write_manifest NAME STARTED
write_manifest() {
    read -r sum _ <<EOF
$(sha256sum "$UNFINISHED/database.dump")
EOF
    cat >"$UNFINISHED/manifest.json" <<EOF
{
  "name": "$1",
  "started_at": "$2",
  "finished_at": "$(show_time)",
  "server_version": "$(cat "$UNFINISHED/server_version")",
  "revision": "$(cat "$UNFINISHED/revision")",
  "size_bytes": $(wc -c <"$UNFINISHED/database.dump"),
  "sha256": "$sum",
  "tables": $(cat "$UNFINISHED/tables")
}
EOF
}

dump() {
    rm -rf "$UNFINISHED"
    mkdir "$UNFINISHED"
    now >"$UNFINISHED/since"
    name=$(free_name) started=$(show_time)
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
        --set=folder="$UNFINISHED" --file="$SHARE/snapshot.sql"
    [ -e "$UNFINISHED/dumped" ] || stop_with 'pg_dump should write all of it (got its end).'
    write_manifest "$name" "$started"
    (cd "$UNFINISHED" && rm since dumped tables revision server_version)
    sync "$UNFINISHED/database.dump" "$UNFINISHED/manifest.json" "$UNFINISHED"
    mv "$UNFINISHED" "$STORE/$name"
    sync "$STORE"
    echo "$name"
}

# A failure is kept until the next backup succeeds.
take() {
    if said=$(backups dump 2>&1); then
        rm -f "$FAILURE"
        echo "$said"
    else
        # First room is made, then the reason is written.
        rm -rf "$UNFINISHED"
        echo "$(show_time) $(echo "$said" | tail -n 1)" | replace "$FAILURE"
        stop_with "a backup should be taken (got: $said)."
    fi
}

# --- testing one

# usage: note_result NAME passed|failed REASON
note_result() {
    # What JSON has to write in another way; a row that could not be restored may hold anything.
    reason=$(printf %s "$3" | tr '\n\t"\134' '   /' | tr -d '\000-\037')
    replace "$STORE/$1/check.json" <<EOF
{
  "checked_at": "$(show_time)",
  "result": "$2",
  "reason": "$reason"
}
EOF
}

# usage: verify NAME
verify() {
    require "$1"
    [ -f "$STORE/$1/database.dump" ] || stop_with "$1: should have its dump (got no file)."
    expected=$(read_manifest "$1" sha256)
    read -r found _ <<EOF
$(sha256sum "$STORE/$1/database.dump")
EOF
    [ "$expected" = "$found" ] ||
        stop_with "$1: should have the checksum of its manifest, $expected (got $found)."
}

# usage: check NAME
check() {
    require "$1"
    if said=$(backups verify "$1" 2>&1) &&
        said=$(check-backup "$STORE/$1/database.dump" "$STORE/.check" "$(read_manifest "$1" tables)" 2>&1)
    then
        note_result "$1" passed ''
        echo "$1: can be restored"
    else
        note_result "$1" failed "$said"
        stop_with "$1: should be restorable (got: $said)"
    fi
}

# --- on schedule

# usage: next_slot SECONDS; the first whole multiple of the interval after that moment
next_slot() {
    echo $((($1 / BACKUP_INTERVAL_SECONDS + 1) * BACKUP_INTERVAL_SECONDS))
}

# When the next one is due; it does not depend on when this process started.
due_at() {
    if [ -e "$FAILURE" ] || [ -z "$(newest)" ]; then
        echo 0
    else
        next_slot "$(taken_at "$(newest)")"
    fi
}

# The newest one is tested when the last test is old, or was of another backup and failed.
check_is_due() {
    [ -n "$(newest)" ] || return 1
    tested=$(newest_tested '')
    [ -n "$tested" ] || return 0
    [ "$tested" = "$(newest)" ] || [ "$tested" = "$(newest_tested passed)" ] || return 0
    # A test of a time to come says nothing of its age.
    age=$(($(now) - $(tested_at "$tested")))
    [ "$age" -lt 0 ] || [ "$age" -ge "$BACKUP_CHECK_INTERVAL_SECONDS" ]
}

# The newest one stays however old it is, and so does the newest that is known to be good.
prune() {
    oldest=$(($(now) - BACKUP_RETENTION_SECONDS)) newest=$(newest) good=$(newest_tested passed)
    for name in $(names); do
        [ "$(taken_at "$name")" -lt "$oldest" ] || continue
        case $name in
            "$newest" | "$good") continue ;;
        esac
        mv "$STORE/$name" "$STORE/.removed"
        rm -rf "$STORE/.removed"
        echo "removed $name"
    done
}

# usage: pause; until the next one is due, in short steps: the clock may be changed
pause() {
    seconds=$(($(due_at) - $(now)))
    [ "$seconds" -le "$LONGEST_PAUSE_SECONDS" ] || seconds=$LONGEST_PAUSE_SECONDS
    [ "$seconds" -le 0 ] || rest "$seconds"
}

# usage: rest SECONDS; a signal ends it
rest() {
    sleep "$1" &
    wait $!
}

run() {
    trap 'exit 0' TERM INT
    [ -w "$STORE" ] ||
        stop_with "$STORE: should be writable by user $(id -u) (got: it is not). Make that user \
the owner of the folder."
    rm -rf "$STORE/.removed" "$STORE/.check" "$UNFINISHED"
    while :; do
        [ "$(due_at)" -gt "$(now)" ] || backups take || rest "$RETRY_SECONDS"
        ! check_is_due || backups check "$(newest)" || :
        backups prune || :
        pause
    done
}

# --- what there is

# usage: show FILE; its JSON
show() {
    if is_whole "$1"; then cat "$1"; else echo null; fi
}

list() {
    for name in $(names); do
        checked=$(show "$STORE/$name/check.json") manifest=$(show "$STORE/$name/manifest.json")
        printf '{"name": "%s", "manifest": %s, "check": %s}\n' "$name" "$manifest" "$checked" |
            tr '\n' ' '
        echo
    done
}

# Whether a long one is being taken. One that goes on when the next is due has come to a halt.
takes_long() {
    { read -r since <"$UNFINISHED/since"; } 2>/dev/null || return 1
    seconds=$(($(now) - since))
    [ "$seconds" -ge "$LONG_SECONDS" ] && [ "$seconds" -lt "$BACKUP_INTERVAL_SECONDS" ]
}

health() {
    [ ! -e "$FAILURE" ] || stop_with "the last backup should be taken (got: $(cat "$FAILURE"))."
    ! takes_long || return 0
    [ -n "$(newest)" ] || stop_with 'the first backup should be taken (got none yet).'
    late=$(($(now) - $(next_slot "$(taken_at "$(newest)")")))
    [ "$late" -le $((BACKUP_INTERVAL_SECONDS / 10 + 2 * RETRY_SECONDS)) ] ||
        stop_with "a backup should be taken every $BACKUP_INTERVAL_SECONDS s (got: $late s late)."
    tested=$(newest_tested '')
    [ "$tested" = "$(newest_tested passed)" ] ||
        stop_with "$tested: should be restorable (got: $(cat "$STORE/$tested/check.json"))."
}

case ${1:-run} in
    run) run ;;
    take | check | prune) under_lock "$@" ;;
    verify | list | health | dump) "$@" ;;
    send) require "${2:-}" && exec cat "$STORE/$2/database.dump" ;;
    *) stop_with "should be run, take, check, verify, list, send or health (got '$1')." ;;
esac
