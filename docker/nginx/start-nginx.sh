#!/bin/sh
# usage: start-nginx [NGINX-OPTION...]
# Starts nginx with the live configuration. Where a power loss has damaged a file of it, with the
# candidate: it passed nginx's own test, and holds the same unless an update was under way.
set -eu

FOLDER=${NGINX_FOLDER:-/etc/nginx/portal}
# On Swarm it is one file, and the folder is in memory.
if [ -f "$FOLDER.tar" ]; then
    tar -xf "$FOLDER.tar" -C "$FOLDER"
fi

for name in live candidate; do
    if said=$(cd "$FOLDER/$name" && sha256sum -c checksums 2>/dev/null); then
        exec nginx -c "$FOLDER/$name/nginx.conf" "$@"
    fi
    found=$(echo "$said" | sed -n 's/: FAILED.*//p' | tr '\n' ' ')
    found=${found:-checksums}
    echo "nginx: $FOLDER/$name: should be as it was written (got other contents in ${found% }). Run \
\`make up\`, which writes it again." >&2
done
exit 1
