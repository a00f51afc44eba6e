#!/bin/sh
# Puts the agent programs that the tests run, in the versions they were written for, into a folder:
#   contrib/agents/install.sh [FOLDER]      (target/agents where none is named; about 1 GB)
# Exit code 69: npm is missing or its registry cannot be reached. Tests then say that they are skipped.
set -eu
folder=${1:-$(cd "$(dirname "$0")/../.." && pwd)/target/agents}
pinned="@anthropic-ai/claude-code@2.1.197 @openai/codex@0.169.0 opencode-ai@1.18.33"

if [ "$(cat "$folder/installed" 2> /dev/null || true)" = "$pinned" ]; then
    exit 0
fi
if ! command -v npm > /dev/null 2>&1; then
    echo "the agents' programs are not installed: npm is not on PATH; tests with real agents are skipped" >&2
    exit 69
fi
mkdir -p "$folder"
cd "$folder"
[ -f package.json ] || echo '{"private": true}' > package.json
# The words are split on purpose: one for each package.
# shellcheck disable=SC2086
if ! npm install --no-fund --no-audit --loglevel=error $pinned > npm.log 2>&1; then
    echo "the agents' programs are not installed: npm did not get them ($folder/npm.log); tests with real agents are skipped" >&2
    exit 69
fi
echo "$pinned" > installed
