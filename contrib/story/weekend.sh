#!/bin/sh
# Friday to Monday in five minutes, as a new user meets it: from a clean clone to an issue that cron brought to its end.
# A real crontab, a real cron daemon, no shortcut; what is put into the crontab is taken out again.
#
#   ./contrib/story/weekend.sh        needs git, a Rust toolchain, cron, and root (or a cron daemon that runs)
#
# OFFHOURS names a built binary; otherwise one is built from a clean clone. WHERE names the folder to work in.
# With REMOTE (the address of a repository with a test.sh), FORGE (its kind), TOKEN_FILE and SOURCE (where to clone it
# from), the repository is on a server, and an issue has to be ready there; otherwise on a local forge.
# `OFFHOURS_STORY=1 cargo test --features testing --test it weekend` runs it with a simulated GitHub.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
for program in git crontab cron; do
    command -v "$program" > /dev/null 2>&1 || PATH=$PATH:/usr/sbin command -v "$program" > /dev/null 2>&1 || {
        echo "this story needs $program, which is not on PATH: apt-get install git cron" >&2
        exit 69
    }
done
where=${WHERE:-$(mktemp -d "${TMPDIR:-/tmp}/offhours-weekend.XXXXXX")}
mkdir -p "$where/bin" "$where/home"
where=$(cd "$where" && pwd)
say() { printf '\n== %s\n' "$*"; }

say "A clean clone, and the program out of it"
if [ -z "${OFFHOURS:-}" ]; then
    git clone --quiet "$top" "$where/clone"
    (cd "$where/clone" && cargo install --quiet --path . --root "$where")
else
    ln -sf "$OFFHOURS" "$where/bin/offhours"
fi

# A new user: an empty home, an agent on the PATH, a name for git.
unset OFFHOURS_KILL_SWITCH OFFHOURS_CONFIG XDG_CONFIG_HOME XDG_STATE_HOME STATE_DIRECTORY
export HOME="$where/home" PATH="$where/bin:$PATH"
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.test GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.test
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

if [ -z "${REMOTE:-}" ]; then
    REMOTE=$where/tracker/ada/greeter/repo.git
    SOURCE=$REMOTE
    mkdir -p "$where/tracker/ada/greeter/issues"
    git init --quiet --bare --initial-branch=main "$REMOTE"
    git init --quiet --initial-branch=main "$where/seed"
    printf '#!/bin/sh\n[ ! -e hello.txt ] || grep -q Hello hello.txt\n' > "$where/seed/test.sh"
    git -C "$where/seed" add test.sh
    git -C "$where/seed" commit --quiet -m "A project with a test"
    git -C "$where/seed" push --quiet "$REMOTE" main
fi
repo=$(printf '%s\n' "${REMOTE%/repo.git}" | sed 's/\.git$//; s|.*/\([^/]*/[^/]*\)$|\1|')

say "Friday: init in a clone of $repo"
git clone --quiet "$SOURCE" "$where/project"
git -C "$where/project" remote set-url origin "$REMOTE"
cd "$where/project"
offhours init --landing push ${FORGE:+--forge "$FORGE"}
[ -z "${TOKEN_FILE:-}" ] || install -m 600 "$TOKEN_FILE" "$HOME/.config/offhours/$FORGE-token"
cat "$HOME/.config/offhours/config.toml"

say "doctor"
offhours doctor
[ -n "${TOKEN_FILE:-}" ] || offhours issue new "$repo" --title "Greet the world" --label ready-for-agent

say "arm"
offhours arm "$repo" --include-existing
offhours doctor --fix --exit-code

say "schedule install, into the crontab of $(id -un)"
taken_out() {
    offhours schedule remove || true
    [ -z "${daemon:-}" ] || kill "$daemon" 2> /dev/null || true
}
trap taken_out EXIT
offhours schedule install --every 1
crontab -l | sed -n '/BEGIN offhours/,/END offhours/p'

# One that runs already is used; it does not let a second one in.
PATH=$PATH:/usr/sbin cron -f > "$where/cron.log" 2>&1 &
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
    offhours run list --all
done

say "Monday"
offhours schedule verify --exit-code
offhours doctor --exit-code --as-cron
offhours status
offhours why "$repo#1"
[ -n "${TOKEN_FILE:-}" ] || {
    git pull --quiet
    cat hello.txt
}
offhours spend
offhours off
say "it landed after about $minutes minutes, by cron alone"
