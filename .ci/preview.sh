#!/usr/bin/env bash
# Brings the stack of a pull request up, and writes where it answers into preview.md.
set -euo pipefail
make --no-print-directory up
make --no-print-directory output > output.txt
curl --fail --silent --show-error "$(awk '$1 == "health_url" { print $2 }' output.txt)"
{
    echo "### Preview on ${RUNNER_NAME:-$CI_RUNNER_DESCRIPTION}"
    echo
    # shellcheck disable=SC2016  # the backquotes are Markdown's
    echo 'On its loopback; from elsewhere by `ssh -L PORT:127.0.0.1:PORT`.'
    echo
    sed -n 's/^ *\([a-z_]*_url\)  */- \1: /p' output.txt
} > preview.md
