#!/bin/sh
# Friday to Monday in minutes, as a new user meets it: from a clean clone over the build, `init`, `doctor`, `arm` and
# `schedule install` to an issue on a (simulated) GitHub that cron brought to its end. A real crontab, a real cron daemon,
# no shortcut. The crontab that was there before stands there afterwards, however the story ends.
#
#   ./contrib/story/weekend.sh        needs git, a Rust toolchain, cron, and root (or a cron daemon that runs)
#
# OFFHOURS names a built binary; otherwise one is built from a clean clone. WHERE names the folder to work in.
# SIMULATOR names the built test binary with the simulated GitHub; otherwise it is built here.
# `OFFHOURS_STORY=1 cargo test --features testing --test it weekend` runs all of it as a test.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
PATH=$PATH:/usr/sbin
for program in git crontab cron; do
    command -v "$program" > /dev/null 2>&1 || {
        echo "this story needs $program, which is not on PATH: apt-get install git cron" >&2
        exit 69
    }
done
where=${WHERE:-$(mktemp -d "${TMPDIR:-/tmp}/offhours-weekend.XXXXXX")}
mkdir -p "$where/bin" "$where/home"
where=$(cd "$where" && pwd)
say() { printf '\n== %s\n' "$*"; }
run() { printf '\n$ %s\n' "$*"; "$@"; }

# Whatever happens: the crontab as it was, and only our own cron and our own forge ended.
daemon= forge=
crontab -l > "$where/crontab.before" 2> /dev/null || rm -f "$where/crontab.before"
as_it_was() {
    if [ -e "$where/crontab.before" ]; then
        crontab -l 2> /dev/null | cmp -s - "$where/crontab.before" || crontab "$where/crontab.before"
    else
        crontab -r 2> /dev/null || true
    fi
    [ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true
    exec 9>&-
    [ -z "$forge" ] || wait "$forge" || true
}
trap as_it_was EXIT
trap 'exit 130' INT TERM

say "A simulated GitHub on this machine"
mkfifo "$where/hold"
if [ -n "${SIMULATOR:-}" ]; then
    set -- "$SIMULATOR"
else
    set -- cargo test --quiet --manifest-path "$top/Cargo.toml" --features testing --test it --
fi
# It ends when nobody holds the other end of its standard input.
FORGE_SAYS="$where/forge" "$@" --ignored --exact weekend::simulated_github --nocapture \
    < "$where/hold" > "$where/forge.log" 2>&1 &
forge=$!
exec 9> "$where/hold"
until [ -e "$where/forge" ]; do
    kill -0 "$forge" 2> /dev/null || {
        cat "$where/forge.log" >&2
        exit 1
    }
    sleep 1
done
. "$where/forge"
repo=$(printf '%s\n' "$REMOTE" | sed 's/\.git$//; s|.*/\([^/]*/[^/]*\)$|\1|')
echo "$REMOTE, with one issue labelled ready-for-agent"

if [ -z "${OFFHOURS:-}" ]; then
    say "A clean clone, and the program out of it"
    run git clone --quiet "$top" "$where/clone"
    run cargo install --quiet --path "$where/clone" --root "$where"
else
    say "The program, built before"
    ln -sf "$OFFHOURS" "$where/bin/offhours"
fi

# A new user: an empty home, an agent on the PATH, a name for git.
unset OFFHOURS_KILL_SWITCH OFFHOURS_CONFIG XDG_CONFIG_HOME XDG_STATE_HOME STATE_DIRECTORY
export HOME="$where/home" PATH="$where/bin:$PATH"
git config --global user.name Ada
git config --global user.email ada@example.test
cat > "$where/bin/claude" <<'SH'
#!/bin/sh
# Stands in for the CLI: reads the prompt, commits, and says what it cost in the CLI's own words.
[ "${1:-}" != --version ] || { echo "0.0 (a stand-in)"; exit 0; }
number=$(sed -n '1s/.*#\([0-9][0-9]*\) .*/\1/p')
cat > /dev/null
echo "Hello, world" > hello.txt
git add hello.txt
git commit -q -m "hello: greet the world" -m "Closes #$number"
echo '{"type":"result","subtype":"success","is_error":false,"session_id":"s1","total_cost_usd":0.02,"usage":{"input_tokens":10,"output_tokens":5}}'
SH
chmod +x "$where/bin/claude"

say "Friday: init in a clone of $repo"
git clone --quiet "$SOURCE" "$where/project"
git -C "$where/project" remote set-url origin "$REMOTE"
cd "$where/project"
run offhours init --landing push --forge github
run install -m 600 "$TOKEN_FILE" "$HOME/.config/offhours/github-token"
run cat "$HOME/.config/offhours/config.toml"
run offhours doctor

say "Friday: arm"
run offhours arm "$repo" --include-existing
run offhours doctor --fix --exit-code

say "Friday: schedule install, into the crontab of $(id -un)"
run offhours schedule install --every 1
run crontab -l

# One that runs already is used; it does not let a second one in.
cron -f > "$where/cron.log" 2>&1 9>&- &
daemon=$!
sleep 1
if kill -0 "$daemon" 2> /dev/null; then
    say "cron runs in the foreground of this script, as process $daemon"
else
    daemon=
    say "cron runs on this machine already: $(cat "$where/cron.log")"
fi

say "Saturday, Sunday: nobody types anything"
minutes=0
until offhours run list --all | grep -q ' landed '; do
    minutes=$((minutes + 1))
    [ "$minutes" -le "${MINUTES:-10}" ] || {
        offhours status
        offhours why "$repo"
        echo "it did not come to its end in time" >&2
        exit 1
    }
    sleep 60
    run offhours status
done

say "Monday"
run offhours schedule verify --exit-code
run offhours doctor --exit-code --as-cron
run offhours status
run offhours why "$repo#1"
run offhours run log "$repo#1"
run offhours spend
run offhours off
run offhours uninstall

say "Afterwards"
if [ -e "$where/crontab.before" ]; then
    crontab -l | diff "$where/crontab.before" - && echo "the crontab is as it was"
else
    ! crontab -l 2> /dev/null | grep . && echo "the crontab is as it was: empty"
fi
git clone --quiet "$SOURCE" "$where/monday"
run cat "$where/monday/hello.txt"
exec 9>&-
verdict=0
wait "$forge" || verdict=$?
forge=
say "the issue on the forge"
cat "$where/forge.issue"
[ "$verdict" -eq 0 ] || {
    cat "$where/forge.log" >&2
    exit 1
}
say "it landed after about $minutes minutes, by cron alone"
