#!/bin/sh
# The voice agent on http://127.0.0.1:8080, beside a running speech server; options are those of `ttsops agent`.
# Without a provider in LLM_PROVIDER it reads back what it is asked.
export LLM_PROVIDER="${LLM_PROVIDER:-echo}"
exec "$(dirname "$0")/ttsops.sh" agent "$@"
