#!/bin/sh
# The weekly job on two small recipes, in a fresh folder: a newer image is found for each, CI is red for one of them, an agent
# repairs it, and the summary says so. Needs git, and python3 as the registry unless REGISTRY=HOST:PORT names one that has
# team/blog and team/wiki. OFFHOURS names the program.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
offhours=${OFFHOURS:-offhours}
place=$(mktemp -d "${TMPDIR:-/tmp}/offhours-recipes-XXXXXX")
server=
# What was started here is ended here.
trap 'if [ -n "$server" ]; then kill "$server"; fi; rm -rf "$place"' EXIT
cd "$place"
export HOME="$place" GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=me@example.org GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@example.org

if [ -z "${REGISTRY:-}" ]; then
    for name in blog wiki; do
        mkdir -p "registry/v2/team/$name/tags"
        echo '{"tags": ["1.0.0", "1.1.0", "2.0.0"]}' > "registry/v2/team/$name/tags/list"
    done
    python3 -u -m http.server --bind 127.0.0.1 --directory registry 0 > server.log 2>&1 &
    server=$!
    while ! grep -q port server.log; do sleep 0.1; done
    REGISTRY=127.0.0.1:$(sed -n 's/.* port \([0-9]*\).*/\1/p' server.log | head -1)
fi

for name in blog wiki; do
    git init -q --initial-branch=main "work/$name"
    cat > "work/$name/compose.yml" <<YML
services:
  app:
    image: $REGISTRY/team/$name:1.0.0
    deploy:
      labels:
        - "coop-cloud.\${STACK_NAME}.version=1.0.0+1.0.0"
YML
    git -C "work/$name" add compose.yml
    git -C "work/$name" commit -q -m "The recipe $name"
    git clone -q --bare "work/$name" "upstream/$name.git"
    mkdir -p "tracker/recipes/$name"
    git clone -q --bare "work/$name" "tracker/recipes/$name/repo.git"
done

# The tests of both recipes. The wiki is red until its new setting is there.
git init -q --initial-branch=main work/tests
echo 'grep -q team/blog compose.yml' > work/tests/blog.sh
echo 'grep -q new_setting wiki.conf' > work/tests/wiki.sh
git -C work/tests add .
git -C work/tests commit -q -m "Tests of the recipes"
mkdir -p tracker/recipes/tests
git clone -q --bare work/tests tracker/recipes/tests/repo.git

cat > config.toml <<TOML
kill_switch = false
[forge.home]
kind = "local"
path = "tracker"
[runner.fixer]
argv = ["sh", "$here/agent.sh"]
[upgrade]
enrolled = ["blog", "wiki"]
runner = "fixer"
plain_http_registries = ["$REGISTRY"]
teardown = ["sh", "-c", "echo taken down: {recipe} >> torn"]
[upgrade.bridge]
enabled = true
argv = ["sh", "$here/ci.sh", "$place/tracker/recipes/tests/repo.git"]
[recipe.blog]
mirror = "home:recipes/blog"
upstream = "upstream/blog.git"
tests = "home:recipes/tests"
[recipe.wiki]
mirror = "home:recipes/wiki"
upstream = "upstream/wiki.git"
tests = "home:recipes/tests"
TOML

run() { "$offhours" --config "$place/config.toml" --state "$place/state.db" "$@"; }
echo "What would be done:"
run upgrade start --dry-run
run upgrade start --scheduled
# Cron starts this line every few minutes.
for _ in $(seq 200); do
    run upgrade
    if run upgrade status | grep -q '^IDLE'; then break; fi
    sleep 0.2
done
run upgrade status
cat torn
