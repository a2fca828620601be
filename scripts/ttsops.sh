#!/bin/sh
# `ttsops` of this checkout (`make setup`), else the one on PATH.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
if [ -x "$root/.venv/bin/ttsops" ]; then
  exec "$root/.venv/bin/ttsops" "$@"
elif command -v ttsops >/dev/null; then
  exec ttsops "$@"
fi
echo "error: there is no ttsops here or on PATH: run \`make setup\`" >&2
exit 3
