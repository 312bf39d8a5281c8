#!/bin/sh
# usage: start-redis [redis-server] [FILE.conf] [OPTION...] | COMMAND...
# Starts Redis on whatever a power loss has left of its append-only files: what cannot be read is
# cut off, and a copy of the files as they were is kept. Redis by itself would not start, or start
# without a part of its data and say nothing.
set -eu

DATA=${REDIS_DATA:-/data}
ACCESS_LIST=${REDIS_ACCESS_LIST:-/run/secrets/users.acl}
FILES=$DATA/appendonlydir
MANIFEST=$FILES/appendonly.aof.manifest
ENTRY='^file \(appendonly\.aof\.[0-9]*\.[a-z]*\.[a-z]*\) seq [0-9]* type'

# usage: stop_with MESSAGE
stop_with() {
    echo "redis: $1" >&2
    exit 1
}

# Without its access list Redis would let everybody in.
check_access_list() {
    grep -q '^user default off' "$ACCESS_LIST" ||
        stop_with "$ACCESS_LIST: should be Redis' access list (got a file without its first user). \
Run \`make up\`, which writes it again."
}

check_folder() {
    { echo probe >"$DATA/.probe"; } 2>/dev/null ||
        stop_with "$DATA: should take files of user $(id -u) (got: it is read-only, full or \
another user's). Make room, or make that user its owner."
    # A child that was killed leaves what it was writing.
    rm -f "$DATA/.probe" "$DATA"/temp-*.rdb "$FILES"/temp-*
}

# usage: named; the files of a whole manifest, in the order in which Redis reads them
named() {
    lines=$(grep -s "$ENTRY [bih]\$" "$MANIFEST") || return 1
    # A line that was cut off has no end; NULs are in no line.
    [ "$(tr '\0' ' ' <"$MANIFEST"; echo .)" = "$(echo "$lines"; echo .)" ] &&
        echo "$lines" | sed -n "s/$ENTRY [bi]\$/\1/p"
}

# usage: existing base|incr; files of that kind, oldest first
existing() {
    for file in "$FILES"/appendonly.aof.[0-9]*."$1".*; do
        [ ! -e "$file" ] || echo "${file##*/}"
    done | sort -t . -k 3n
}

# usage: guessed; what a manifest would name. Beside two bases stand the increments of both.
guessed() {
    case $(existing base | wc -l) in
        0) ;;
        1) existing base && existing incr ;;
        *) existing base | tail -n 1 && existing incr | tail -n 1 ;;
    esac
}

# Redis itself takes an empty base for an empty database.
is_whole() {
    first=$(named | head -n 1)
    [ -n "$first" ] && [ -s "$FILES/$first" ] && redis-check-aof "$MANIFEST" >/dev/null 2>&1
}

# usage: readable_bytes FILE; how much of it, from its start, Redis can load
readable_bytes() {
    said=$(redis-check-aof "$1" 2>&1) || :
    said=$(echo "$said" | sed -n 's/.* ok_up_to=\([0-9]*\),.*/\1/p' | tail -n 1)
    echo "${said:-0}"
}

# usage: write_manifest NAME...
write_manifest() {
    for name in "$@"; do
        type=i
        [ "${name%.base.*}" = "$name" ] || type=b
        echo "file $name seq $(echo "$name" | cut -d . -f 3) type $type"
    done >"$MANIFEST"
}

# usage: keep_readable NAME...; the base and its increments, up to the first byte that is damaged
keep_readable() {
    kept=''
    for name in "$@"; do
        file=$FILES/$name size=none
        [ ! -e "$file" ] || size=$(wc -c <"$file")
        readable=$(readable_bytes "$file")
        if [ "$readable" != "$size" ] || [ "$kept$readable" = 0 ]; then
            found="$found, $readable readable bytes of $size in $name"
        fi
        # Nothing can be added to a base that is lost, nor to what comes before a gap.
        if [ "$kept$readable" = 0 ] || [ "$size" = none ]; then
            break
        fi
        truncate -s "$readable" "$file"
        kept="$kept $name"
        [ "$readable" = "$size" ] || break
    done
    for file in "$FILES"/*; do
        case "$kept " in
            *" ${file##*/} "*) ;;
            *) rm "$file" ;;
        esac
    done
    # shellcheck disable=SC2086
    [ -z "$kept" ] || write_manifest $kept
}

repair() {
    copy=$DATA/damaged-$(date -u +%Y%m%dT%H%M%SZ)
    cp -Rp "$FILES" "$copy" || {
        rm -rf "$copy"
        stop_with "$DATA: should have room for a copy of $FILES, which is damaged (got: full). Make \
room."
    }
    found='' names=$(named) || found=', no manifest' names=$(guessed)
    # shellcheck disable=SC2086
    keep_readable $names
    echo "redis: $FILES: should be whole (got${found#,}). Redis starts with what can be read; the \
files as they were are in $copy; delete it when it is no longer needed." >&2
}

case ${1:-} in
    # As the base image's entrypoint takes it.
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1:-}" = redis-server ]; then
    check_access_list
    check_folder
    [ -z "$(ls "$FILES" 2>/dev/null)" ] || is_whole || repair
fi
exec docker-entrypoint.sh "$@"
