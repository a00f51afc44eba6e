#!/usr/bin/env bash
# What offhours weighs: the size of the release binary, and what a poll over many repos takes. Both are limits.
#
#   ./contrib/bench/run.sh
#
# Needs git and a Rust toolchain. REPOS (100) is how many repos the poll looks at.
set -euo pipefail

most_bytes=$((8 * 1000 * 1000))
most_kib=$((20 * 1000 * 1000 / 1024))
repos=${REPOS:-100}

top=$(cd "$(dirname "$0")/../.." && pwd)
temp=$(mktemp -d "${TMPDIR:-/tmp}/offhours-bench.XXXXXX")
trap 'rm -rf "$temp"' EXIT
failed=0
too_much() {
    echo "bench: $*" >&2
    failed=1
}

cd "$top"
cargo build --release --quiet
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cp "$target/release/offhours" "$temp/offhours"
if command -v strip > /dev/null 2>&1; then
    strip "$temp/offhours"
else
    echo "strip (from binutils) is not there: the size is that of the whole file"
fi
bytes=$(wc -c < "$temp/offhours")
echo "release binary, stripped: $bytes bytes (limit $most_bytes)"
[ "$bytes" -lt "$most_bytes" ] || too_much "the binary is too large"

# A git that counts itself.
real_git=$(command -v git)
mkdir "$temp/bin" "$temp/home"
printf '#!/bin/sh\necho git >> "%s/git-calls"\nexec "%s" "$@"\n' "$temp" "$real_git" > "$temp/bin/git"
chmod +x "$temp/bin/git"
: > "$temp/git-calls"

export HOME="$temp/home" USER=bench PATH="$temp/bin:$PATH"
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=Bench GIT_AUTHOR_EMAIL=bench@example.test
export GIT_COMMITTER_NAME=Bench GIT_COMMITTER_EMAIL=bench@example.test
unset OFFHOURS_CONFIG OFFHOURS_KILL_SWITCH STATE_DIRECTORY XDG_STATE_HOME XDG_CONFIG_HOME
offhours() { "$temp/offhours" --config "$temp/config.toml" --state "$temp/state/offhours.db" "$@"; }

# Everything is armed and every repo has a ready issue, but the day has no runs: all is read, and nothing starts.
list=""
for n in $(seq 1 "$repos"); do list="$list\"me/repo$n\", "; done
cat > "$temp/config.toml" <<TOML
kill_switch = false
allowlist = [$list]
landing = "push"
max_runs_per_day = 0

[forge.home]
kind = "local"
path = "tracker"

[runner.none]
argv = ["false"]
TOML
git init --quiet --initial-branch=main "$temp/seed"
echo seed > "$temp/seed/file"
git -C "$temp/seed" add file
git -C "$temp/seed" commit --quiet -m "A beginning"
git clone --quiet --bare "$temp/seed" "$temp/repo.git"
for n in $(seq 1 "$repos"); do
    mkdir -p "$temp/tracker/me/repo$n/issues"
    cp -r "$temp/repo.git" "$temp/tracker/me/repo$n/repo.git"
    offhours issue new "me/repo$n" --title "Change something" --label ready-for-agent > /dev/null
done

# The highest water mark of the process itself; it only rises, so the last look is the peak.
poll() {
    : > "$temp/git-calls"
    # Not through the function: the process that is looked at has to be offhours itself.
    "$temp/offhours" --config "$temp/config.toml" --state "$temp/state/offhours.db" poll --json > "$temp/answer" &
    pid=$!
    peak=0
    while kill -0 "$pid" 2> /dev/null; do
        while read -r word value _; do
            if [ "$word" = VmHWM: ]; then peak=$value; fi
        done 2> /dev/null < "/proc/$pid/status" || true
    done
    wait "$pid"
    calls=$(wc -l < "$temp/git-calls")
    echo "$1: $peak KiB at its peak (limit $most_kib), $calls git processes"
    [ "$peak" -gt 0 ] || too_much "the memory of $1 could not be read from /proc"
    [ "$peak" -lt "$most_kib" ] || too_much "$1 takes too much memory"
}
poll "first poll over $repos repos"
seen=$(grep -o '"reason":"runs-per-day"' "$temp/answer" | wc -l)
[ "$seen" -eq "$repos" ] || too_much "$seen of $repos issues were looked at: $(head -c 600 "$temp/answer")"
poll "the same again"
began=$(date +%s%N)
offhours poll
echo "an idle poll takes $((($(date +%s%N) - began) / 1000000)) ms (for information)"
if [ -x /usr/bin/time ] && /usr/bin/time -f %M true 2> /dev/null; then
    largest=$(/usr/bin/time -f %M "$temp/offhours" --config "$temp/config.toml" --state "$temp/state/offhours.db" poll \
        2>&1 > /dev/null | tail -n 1)
    echo "the same again, the largest of it and its children: $largest KiB"
    [ "$largest" -lt "$most_kib" ] || too_much "poll and its children take too much memory"
fi
exit "$failed"
