#!/bin/sh
# The whole loop on one machine, with nothing but git and a Rust toolchain: a small project with a failing test, three
# issues in a local tracker, an agent, and ticks until nothing moves.
#
#   ./examples/quickstart/run.sh            with a scripted agent
#   AGENT=claude ./examples/quickstart/run.sh   with the claude CLI (needs its login or ANTHROPIC_API_KEY; costs money)
#   AGENT=codex, AGENT=opencode                 the same with theirs
#
# The agents' own questions and sandboxes are off here, as on any night without a person: what they do, they do as you.
#
# OFFHOURS names a built binary; otherwise one is built. WHERE names the folder to work in; otherwise a fresh one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
need() {
    command -v "$1" > /dev/null 2>&1 || {
        echo "quickstart needs $1, which is not on PATH: $2" >&2
        exit 69
    }
}
need git "install it with your system's package manager, for example: apt-get install git"
if [ -z "${OFFHOURS:-}" ]; then
    need cargo "install a Rust toolchain from your package manager or with rustup"
    (cd "$here/../.." && cargo build --quiet)
    target=$(cd "$here/../.." && cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    OFFHOURS=$target/debug/offhours
fi
where=${WHERE:-$(mktemp -d "${TMPDIR:-/tmp}/offhours-quickstart.XXXXXX")}
mkdir -p "$where"
where=$(cd "$where" && pwd)
unset OFFHOURS_KILL_SWITCH OFFHOURS_CONFIG
offhours() { "$OFFHOURS" --config "$where/config.toml" --state "$where/state/offhours.db" "$@"; }
say() { printf '\n== %s\n' "$*"; }

say "A small project with a failing test, in $where"
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.test GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.test
mkdir -p "$where/tracker/ada/greeter/issues"
git init --quiet --bare --initial-branch=main "$where/tracker/ada/greeter/repo.git"
git init --quiet --initial-branch=main "$where/project"
cat > "$where/project/greet.sh" <<'SH'
#!/bin/sh
echo "Hello, world!"
SH
cat > "$where/project/test.sh" <<'SH'
#!/bin/sh
# Each line of the form: check GOT WANTED
check() { [ "$1" = "$2" ] || { echo "wanted: $2, got: $1"; exit 1; }; }
check "$(sh greet.sh)" "Hello, world!"
check "$(sh greet.sh Ada)" "Hello, Ada!"
SH
git -C "$where/project" add greet.sh test.sh
git -C "$where/project" commit --quiet -m "A greeter, and a test that it does not pass yet"
git -C "$where/project" push --quiet "$where/tracker/ada/greeter/repo.git" main
(cd "$where/project" && sh test.sh) || echo "(the test fails, as it should)"

# The files of an agent's login and settings that are there.
home_files() {
    list=
    for file in "$@"; do
        [ ! -e "$HOME/$file" ] || list="$list\"$file\", "
    done
    echo "home_files = [${list%, }]"
}
case ${AGENT:-script} in
claude)
    need claude "npm install -g @anthropic-ai/claude-code"
    runner='profile = "claude"
argv = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "bypassPermissions"]
env = ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "IS_SANDBOX", "HTTPS_PROXY", "NO_PROXY"]
'$(home_files .claude.json .claude/settings.json .claude/.credentials.json)
    ;;
codex)
    need codex "npm install -g @openai/codex"
    runner='profile = "codex"
argv = ["codex", "exec", "--json", "--dangerously-bypass-approvals-and-sandbox"]
env = ["OPENAI_API_KEY", "CODEX_API_KEY", "HTTPS_PROXY", "NO_PROXY"]
'$(home_files .codex/config.toml .codex/auth.json)
    ;;
opencode)
    need opencode "npm install -g opencode-ai"
    runner='profile = "opencode"
argv = ["opencode", "run", "--format", "json", "--auto"]
env = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENCODE_DISABLE_MODELS_FETCH", "HTTPS_PROXY", "NO_PROXY"]
'$(home_files .config/opencode/opencode.json .local/share/opencode/auth.json)
    ;;
script) runner="argv = [\"$here/agent.sh\"]" ;;
*)
    echo "AGENT is script, claude, codex or opencode" >&2
    exit 64
    ;;
esac
cat > "$where/config.toml" <<TOML
kill_switch = true
allowlist = []
landing = "push"
verify = ["sh", "test.sh"]

[forge.home]
kind = "local"
path = "tracker"

[runner.agent]
$runner

[[ci.stage]]
name = "test"
argv = ["sh", "test.sh"]
TOML

say "Three issues: an easy one, one that waits for it, one that no agent can do"
offhours issue new ada/greeter --title "Greet by name" --label ready-for-agent --priority 5
offhours issue new ada/greeter --title "Take leave by name" --label ready-for-agent --priority 9 --blocked-by 1
offhours issue new ada/greeter --title "Greet every planet in its own language" --label ready-for-agent

say "Off until armed: a tick does nothing"
offhours tick -v
offhours arm ada/greeter --include-existing

say "Ticks, until nothing moves"
ticks=0
while [ "$ticks" -lt 20 ]; do
    ticks=$((ticks + 1))
    told=$(offhours tick --foreground -v)
    [ -n "$told" ] || break
    printf '%s\n' "tick $ticks:" "$told"
done

say "What became of it"
offhours status
offhours why ada/greeter#3
git -C "$where/project" pull --quiet "$where/tracker/ada/greeter/repo.git" main
git -C "$where/project" log --oneline
(cd "$where/project" && sh test.sh) && echo "(the test passes)"

landed=$(offhours run list --all | grep -c ' landed ' || true)
kept=$(find "$where/state/salvage" -name work.bundle | wc -l)
say "$landed landed, $((3 - landed)) handed back with its work kept ($kept bundle)"
[ "${AGENT:-script}" != script ] || { [ "$landed" -eq 2 ] && [ "$kept" -eq 1 ]; }
