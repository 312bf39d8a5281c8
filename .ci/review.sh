#!/usr/bin/env bash
# Writes the plan of stack prod into review.md, and into the summary of the job.
set -euo pipefail
if [ -n "${PULUMI_BACKEND_URL:-}" ]; then
    BASE=
else
    unset PULUMI_BACKEND_URL
fi
# A plan that was not even begun is no empty comment.
trap '[ -s review.md ] || echo "**No plan**: the log of the job tells why." > review.md
cat review.md >> "${GITHUB_STEP_SUMMARY:-/dev/null}"' EXIT
make --no-print-directory review STACK=prod BASE="$BASE" > review.md
