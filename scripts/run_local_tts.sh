#!/bin/sh
# The speech server on http://127.0.0.1:8001; options are those of `ttsops serve`.
exec "$(dirname "$0")/ttsops.sh" serve "$@"
