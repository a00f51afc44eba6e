//! The one place where keys are written down. From a row here come its parsing, its default, its bounds, its line in
//! `config reference` and in `examples/complete.toml`, and its line in `config show --effective`.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    clippy::doc_link_with_quotes,
    reason = "the comments are the reference text, where backticks and escapes are noise"
)]

mod words;

pub use words::{
    ForgeKind, NotifyKind, PriorityOrder, Profile, PromptBy, RunnerKind, SessionKind, StageKind,
    TrustPermission,
};

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::effect::NoticeKind;
use toml_edit::{TableLike, Value};

use words::MergeRule;

use super::group::{Group, keys};
use super::hours::{Hours, Offset};
use super::read::{Place, Reader};
use super::row::Row;
use super::value::{LandingRule, Setting};
use crate::domain::model::Landing;
use crate::domain::secret::SecretSource;

/// Every table, in the order of the reference. A star is a name that you choose.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("trust", "Whose ready label counts."),
    (
        "control",
        "An issue from which everything can be stopped, from a telephone say, and which shows how things stand.",
    ),
    (
        "workspace",
        "Where runs have their folders, and commands around them. The commands may be changed per repo.",
    ),
    ("ci", "What has to be green. May be changed per repo."),
    ("ci.stage", "One table for each stage, in order. A list of a repo replaces this one."),
    ("fix_forward", "How often an agent may repair what it broke. May be changed per repo."),
    ("retention", "How long things are kept."),
    (
        "lessons",
        "The journal of what went wrong. It only watches: nothing starts, waits or ends because of it.",
    ),
    ("harvest", "Scoring what became of runs. Off: nothing is routed, scored or decided."),
    (
        "canary",
        "How a new version of a template is tried out. A canary keeps the numbers that it was begun with.",
    ),
    ("template.*", "A prompt of your own in a file; the star is its name."),
    ("forge.*", "An issue tracker with repositories; the star is a name that you choose."),
    (
        "runner.*",
        "How agents are run; the star is a name that you choose. All but `kind` may be changed per repo.",
    ),
    (
        "heartbeat",
        "URLs that are pinged, such as a healthchecks server has them: who watches them notices when nothing ticks.",
    ),
    ("notify.*", "Where messages go; the star is a name that you choose."),
    (
        "repo.*",
        "What is different for one repo. The star is NAME:owner/repo, in quotes; owner/repo where one forge is named.",
    ),
    ("repo.*.workspace", "As [workspace], for one repo."),
    ("repo.*.ci", "As [ci], for one repo."),
    ("repo.*.ci.stage", "As [[ci.stage]], for one repo."),
    ("repo.*.fix_forward", "As [fix_forward], for one repo."),
    ("upgrade", "Recipes brought up to date, with CI's verdict as the gate."),
    (
        "upgrade.bridge",
        "For a CI that no comment can start: offhours starts it on the trigger, and sets its status.",
    ),
    ("recipe.*", "A recipe: a repository with a compose file. The star is a name that you choose."),
];

keys! {
    /// Keys at the top of the file that hold for the whole installation.
    pub Global in [""] {
        /// On: nothing starts an agent, pushes, triggers or merges. Also on if this key is missing, if
        /// OFFHOURS_KILL_SWITCH is on, or while kill_switch_file exists.
        kill_switch: bool = true;
        /// While this file exists the switch is on; `off --now` makes it. Not set: the file `off`
        /// beside the state file.
        kill_switch_file: Option<PathBuf> = None;
        /// The repos that offhours may work on, each by its exact name. Empty: none.
        allowlist: Vec<String> = Vec::new();
        /// Name of this host, for places where hosts are made anew and their own identity changes.
        machine: Option<String> = None;
        /// When work may start. Empty: always. A window over midnight belongs to the day it starts.
        dispatch_hours: Hours = Hours::default();
        /// When anything may be merged. Empty: always.
        merge_hours: Hours = Hours::default();
        /// The clock that the hours are written in: a fixed distance to UTC, without summer time.
        timezone_offset: Offset = Offset::default();
        /// The label that asks for an agent.
        ready_label: String = "ready-for-agent".to_owned();
        /// The label of an issue that is being worked on.
        in_progress_label: String = "agent-in-progress".to_owned();
        /// The label of an issue that was handed back to a person.
        human_label: String = "needs-human".to_owned();
        /// The label of an issue whose pull request waits for a person's review.
        review_label: String = "agent-review".to_owned();
        /// Whether larger or smaller priority numbers go first.
        priority_order: PriorityOrder = PriorityOrder::LargestFirst;
        /// What words in labels are worth, besides `priority:<n>` and `P0` to `P9`.
        priority: BTreeMap<String, i64> = BTreeMap::new();
        /// Ticks in a row that find the lock taken before an alarm is raised.
        lock_alarm_ticks: u32 [1, 1000] = 3;
        /// Minutes with ready issues of which none could start before an alarm is raised.
        alarm_after_minutes: u32 [1, 100_000] = 180;
        /// Minutes for which nothing starts a tick, or one of two commands, before an alarm is raised. 0: never.
        schedule_alarm_minutes: u32 [0, 100_000] = 720;
        /// Runs at the same time, over all repos. Within a repo it is always one.
        max_running: u32 [1, 1000] = 2;
        /// Runs started in one day, over all repos.
        max_runs_per_day: u32 [0, 100_000] = 15;
        /// What all runs of one day may cost together.
        daily_budget_usd: f64 [0, 1_000_000] = 40.0;
        /// What all runs of one month may cost together; an alarm is raised at 80%.
        monthly_budget_usd: f64 [0, 10_000_000] = 300.0;
        /// Runs that may wait for a review at the same time, over all repos, before nothing new is started.
        max_awaiting_review_total: u32 [1, 100_000] = 10;
        /// Equal failures to start after which a runner is parked instead of handing back every ready issue.
        breaker: u32 [1, 1000] = 2;
        /// Wait before a dispatch that failed is tried again; doubles up to 3600.
        retry_backoff_seconds: u64 [1, 3600] = 60;
        /// Requests to forges in a minute, over all of them; what is more waits.
        max_requests_per_minute: u32 [1, 100_000] = 600;
        /// The runner of every repo that names none. Not needed with a single runner.
        default_runner: Option<String> = None;
        /// The template that agents are told by, in every repo that names none.
        default_template: String = "implementer".to_owned();
    }

    /// Keys at the top of the file that one repo may have otherwise.
    pub RunSettings in ["", "repo.*"] {
        /// How finished work reaches the target branch: "pull-request" (a person merges, or `merge` says otherwise), or
        /// "push" (brought up to date, verified again, fast-forward only: most hands-off, the tests are the gate).
        /// As a table it also lets paths through the push guard: { mode = "push", allow_paths = [".ci/"] }.
        landing: LandingRule = LandingRule { mode: Landing::PullRequest, allow_paths: Vec::new() };
        /// The repo's own tests: a program with its arguments, run on a clean checkout. Empty: none.
        verify: Vec<String> = Vec::new();
        /// How long that may take.
        verify_timeout_seconds: u64 [1, 86_400] = 1800;
        /// The branch that work lands on. Not set: the repository's default branch.
        branch: Option<String> = None;
        /// Who merges a pull request: "person", or "when-green" (offhours, as soon as CI is green and no trusted person
        /// asks for changes, within merge_hours).
        merge: MergeRule = MergeRule::Person;
        /// The agent has its own way to push, and pushes to the run's branch itself (pull requests only). What carries the
        /// trailer `Offhours-Run: RUN` is then the run's; the push guard cannot keep it off the forge.
        agent_pushes: bool = false;
        /// Runs of a repo that may wait for a review before nothing new is started there.
        max_awaiting_review: u32 [1, 100_000] = 2;
        /// Days that a pull request waits for its review before it is handed back.
        review_max_age_days: u32 [1, 3650] = 14;
        /// How often one run answers reviews that ask for changes.
        review_max_turns: u32 [0, 100] = 3;
        /// Runs of one issue before only a fresh ready label starts another.
        max_attempts_per_issue: u32 [1, 100] = 2;
        /// What one run may cost. It is reserved at the start, and counted where the real cost is not known.
        budget_usd: f64 [0, 100_000] = 10.0;
    }

    /// Which runner and which template a repo uses.
    pub(super) RunnerChoice in ["repo.*"] {
        /// The name of the runner for this repo, where several are named.
        runner: Option<String> = None;
        /// The template for this repo.
        template: Option<String> = None;
    }

    /// Scoring what became of runs.
    pub Harvest in ["harvest"] {
        /// Off: no version is tried out, and nothing is scored or decided.
        enabled: bool = true;
        /// Days that landed work has to stand, without being taken back, reopened or red, before it counts.
        survival_days: u32 [0, 365] = 3;
        /// Days after which a run that has come to no end is worth nothing.
        horizon_days: u32 [1, 3650] = 14;
    }

    /// How a new version of a template is tried out.
    pub Canary in ["canary"] {
        /// The part of new issues that it gets, above 0 and below 1. 0.35 is better below 50 runs a week.
        fraction: f64 = 0.2;
        /// Scored canary runs before anything is decided.
        min_canary: u32 [1, 100_000] = 5;
        /// Canary runs after which new issues go to the champion, and it has to be decided.
        max_canary: u32 [1, 100_000] = 100;
        /// How much lower than the champion's a canary's mean score may be when it graduates, above 0 and below 1.
        margin: f64 = 0.15;
        /// The chance, at most, that a canary as good as the champion is rolled back.
        alpha_rollback: f64 = 0.05;
        /// The chance, at most, that a canary worse by the margin graduates.
        alpha_graduate: f64 = 0.1;
    }

    /// A prompt in a file.
    pub Template in ["template.*"] {
        /// Its file. A changed text becomes a candidate; `offhours template` makes more of it.
        file: PathBuf {required} = PathBuf::new();
    }

    /// The control issue.
    pub Control in ["control"] {
        /// The issue, as REPO#N. Whoever may write there puts the label `offhours-off` on it to put the kill switch on;
        /// only `offhours resume` on the host takes it back. Its text shows the status.
        issue: Option<String> = None;
    }

    /// Whose ready label counts.
    pub Trust in ["trust"] {
        /// The least permission on the repo of the person who applied the ready label.
        permission: TrustPermission = TrustPermission::Write;
        /// Accounts that are trusted without it. Bots are trusted only by name, here.
        people: Vec<String> = Vec::new();
    }

    /// Where workspaces are.
    pub(super) WorkspaceRoot in ["workspace"] {
        /// The folder of all run folders. Not set: `work` beside the state file.
        root: Option<PathBuf> = None;
    }

    /// Commands around turns and workspaces; each is a program with its arguments, run in the workspace.
    pub Hooks in ["workspace", "repo.*.workspace"] {
        /// Once, when a workspace was made. A failure ends the attempt.
        after_create: Vec<String> = Vec::new();
        /// Before each turn. A failure ends the attempt.
        before_turn: Vec<String> = Vec::new();
        /// After each turn. A failure is logged.
        after_turn: Vec<String> = Vec::new();
        /// Before a workspace is removed. A failure is logged.
        before_remove: Vec<String> = Vec::new();
        /// How long each of them may take.
        hook_timeout_seconds: u64 [1, 86_400] = 300;
    }

    /// What has to be green.
    pub Ci in ["ci", "repo.*.ci"] {
        /// How often checks that failed are run again before an agent is asked.
        rerun: u32 [0, 10] = 1;
        /// Checks that must be green, by name. Not set: all that report, and at least one; where the rules of the target
        /// branch require checks on GitHub, Gitea or Forgejo, those have to be among them. Empty: none is needed. A check
        /// that was skipped, or is neutral, is as one that never reported.
        required: Option<Vec<String>> = None;
        /// How long a stage may take to show its first check.
        grace_seconds: u64 [0, 86_400] = 600;
        /// How long checks may be pending.
        timeout_seconds: u64 [1, 604_800] = 7200;
    }

    /// One CI stage.
    pub Stage in ["ci.stage", "repo.*.ci.stage"] {
        /// Its name: letters, digits, - and _.
        name: String {required} = String::new();
        /// What runs it.
        kind: StageKind = StageKind::Command;
        /// For "command": the program with its arguments, run on a clean checkout of the pushed commit. A "forge" stage is
        /// what the forge's own statuses and check runs say.
        argv: Vec<String> = Vec::new();
        /// How long a command may take.
        timeout_seconds: u64 [1, 86_400] = 3600;
        /// For "woodpecker" and "drone": the server as a browser knows it. It tests what is pushed by itself.
        url: Option<String> = None;
        /// For "woodpecker" and "drone": the token of an account there, which is a secret. It needs to read the repo, and
        /// to write it if failed pipelines are to be run again.
        token: Option<SecretSource> = None;
    }

    /// How often an agent may repair what it broke.
    pub FixForward in ["fix_forward", "repo.*.fix_forward"] {
        /// Corrective turns in one run.
        max_turns: u32 [0, 100] = 3;
        /// Time for all of them, without the waiting for CI.
        max_seconds: u64 [1, 604_800] = 14_400;
    }

    /// How long things are kept.
    pub Retention in ["retention"] {
        /// Days with ticks for which salvaged work (bundles and archives) is kept; while its issue is open it stays.
        salvage_keep_days: u32 [1, 36_500] = 30;
    }

    /// The journal of what went wrong.
    pub Lessons in ["lessons"] {
        /// Off: nothing of it is read or written, and what happens meanwhile is not learned from later.
        enabled: bool = true;
        /// A lesson of the same type, repo, issue and stage met again within this time counts up the first one. 0: each
        /// is a row of its own.
        dedup_window_seconds: u64 [0, 31_536_000] = 3600;
        /// How many `lessons list` and `lessons search` show.
        query_limit_default: u32 [1, 1_000_000] = 100;
        /// Whether agents are told of open lessons about their repo. Those with words from outside wait for
        /// `lessons approve`.
        in_prompts: bool = false;
        /// Days after which a lesson that was not met again is not given any more.
        expire_days: u32 [1, 36_500] = 90;
    }

    /// An issue tracker with repositories.
    pub Forge in ["forge.*"] {
        /// What kind of forge.
        kind: ForgeKind {required} = ForgeKind::Local;
        /// For "local": the directory that holds the trackers, as owner/name below it.
        path: Option<PathBuf> = None;
        /// The server as a browser knows it. Not set: https://github.com for "github"; the others need it.
        url: Option<String> = None;
        /// The token, which is a secret. It needs to read and write issues, contents and pull requests, and to read checks.
        token: Option<SecretSource> = None;
        /// For "github", in place of `token`: a GitHub App, by its id or its client id.
        app_id: Option<String> = None;
        /// A private key of that app, which is a secret: the file as GitHub hands it out.
        app_key: Option<SecretSource> = None;
        /// The number of its installation. Not set: the only one for the owner of the repos; it is looked for in each tick.
        app_installation: Option<u64> = None;
        /// Where the API is, if not where such a server has it.
        api_url: Option<String> = None;
        /// Git's address, with {owner} and {name} in it, if not below `url`: such as "git@host:{owner}/{name}.git". The
        /// token goes to http addresses only.
        git_url: Option<String> = None;
    }

    /// What a runner is.
    pub(super) RunnerBasics in ["runner.*"] {
        /// How turns are started.
        kind: RunnerKind = RunnerKind::Command;
        /// Runs that it works on at the same time, over all repos. Not set: as many as `max_running` at the top.
        max_running: Option<u32> [1, 1000] = None;
        /// An issue with one of these labels is given to this runner, as it stands here, in whatever repo. Each label
        /// belongs to one runner.
        labels: Vec<String> = Vec::new();
        /// For "t3": where T3 Code answers, such as http://127.0.0.1:3773. It works in the runs' own clones, so it has to
        /// run on this machine, as this user.
        url: Option<String> = None;
        /// For "t3": a token with the scope orchestration:operate.
        token: Option<SecretSource> = None;
        /// For "t3": the provider instance that threads are made with.
        instance: Option<String> = None;
        /// For "t3": the model of that instance.
        model: Option<String> = None;
    }

    /// How a runner runs its agent; one repo may have it otherwise.
    pub RunnerSettings in ["runner.*", "repo.*"] {
        /// For "command": the agent's program with its arguments. {workspace}, {objects} (what the workspace's git
        /// borrows), {job}, {agent}, {home}, {tmp}, {prompt_file}, {result_file}, {session} and {budget_usd} in them are
        /// replaced.
        argv: Vec<String> = Vec::new();
        /// Whose output this is, so that cost, session and errors can be read from it. It also adds to argv what
        /// continues a session (and, for claude, what is left of the budget), and sets the variables that keep
        /// the agent from updating itself and from retrying for minutes.
        profile: Profile = Profile::Script;
        /// How the agent is handed its prompt: on its standard input, in the file that OFFHOURS_PROMPT_FILE and
        /// {prompt_file} name, or as its last argument.
        prompt: PromptBy = PromptBy::Stdin;
        /// Names of environment variables that the agent gets, besides PATH and a HOME of its own.
        env: Vec<String> = Vec::new();
        /// Files of your home, by their path below it, that the agent finds in its HOME.
        home_files: Vec<String> = Vec::new();
        /// Put in front of the agent, of verify and of CI commands: a sandbox such as bwrap, systemd-run or docker run,
        /// with the same names in braces as argv (examples/bubblewrap.toml, examples/systemd-run.toml). Without one the
        /// agent can do what your user can.
        wrap: Vec<String> = Vec::new();
        /// Where a turn runs: in the background, or in a tmux session of its own that you can attach to while it runs
        /// (`offhours run show` says how).
        session: SessionKind = SessionKind::Background;
        /// How long one turn may take.
        turn_timeout_seconds: u64 [1, 604_800] = 3600;
        /// How long a turn may be without output and without a change in its workspace, for profiles that stream.
        stall_seconds: u64 [1, 604_800] = 900;
        /// Whose quota it uses: runners with the same account are parked together. Not set: the runner's name.
        account: Option<String> = None;
        /// Price of a million input tokens, for agents that tell tokens and no cost.
        price_input_usd_per_million: Option<f64> [0, 100_000] = None;
        /// Price of a million input tokens that the provider had cached. Not set: the price of input.
        price_cached_input_usd_per_million: Option<f64> [0, 100_000] = None;
        /// Price of a million output tokens.
        price_output_usd_per_million: Option<f64> [0, 100_000] = None;
    }

    /// A URL for each command that is pinged when it starts, ends or fails.
    pub HeartBeat in ["heartbeat"] {
        /// The URL for `tick`. At the start /start is put behind it, at a failure /fail.
        tick: Option<SecretSource> = None;
        /// The URL for `poll`, where it is started by itself.
        poll: Option<SecretSource> = None;
        /// The URL for `watch`, where it is started by itself.
        watch: Option<SecretSource> = None;
        /// The URL for `lessons`, where it is started by itself.
        lessons: Option<SecretSource> = None;
    }

    /// Where messages go.
    pub Notify in ["notify.*"] {
        /// What sends the messages.
        kind: NotifyKind {required} = NotifyKind::Command;
        /// For "command": the program with its arguments; the message comes on its standard input. For "email": what
        /// takes the place of `/usr/sbin/sendmail -t -i`.
        argv: Vec<String> = Vec::new();
        /// For "webhook" and "slack": the URL. For "ntfy": the topic's URL, https://SERVER/TOPIC. It is a secret.
        url: Option<SecretSource> = None;
        /// For "ntfy": the access token, where the topic wants one.
        token: Option<SecretSource> = None;
        /// For "email": the addresses that it goes to.
        to: Vec<String> = Vec::new();
        /// For "email": the address that it comes from.
        from: String = "offhours@localhost".to_owned();
        /// Only messages of these kinds. Empty: all.
        kinds: Vec<NoticeKind> = Vec::new();
        /// When nothing is sent here; it comes when they are over. Of one cause only the newest then.
        quiet_hours: Hours = Hours::default();
        /// Kinds that are sent in quiet hours, too.
        urgent: Vec<NoticeKind> = Vec::new();
    }

    /// Upgrades of recipes.
    pub Upgrade in ["upgrade"] {
        /// The recipes that `upgrade` may work on, by their names. Empty: none.
        enrolled: Vec<String> = Vec::new();
        /// The comment that starts a test run.
        trigger: String = "!testme".to_owned();
        /// The context of the commit status that says how a test run went.
        status_context: String = "testme".to_owned();
        /// The account that sets this status. Not set: whoever may set statuses.
        status_creator: Option<String> = None;
        /// The account whose comment `ci-result: COMMIT STATE URL` has to agree with the status. Not set: none has to.
        result_author: Option<String> = None;
        /// The label that holds a recipe's version, as the compose file spells it.
        version_label: String = "coop-cloud.${STACK_NAME}.version".to_owned();
        /// The runner that repairs a red upgrade, or judges that a test is stale. Not set: red is the end.
        runner: Option<String> = None;
        /// How long a test run may take to a verdict.
        ci_timeout_seconds: u64 [1, 604_800] = 7200;
        /// Without progress for this long a batch counts as wedged.
        wedge_after_seconds: u64 [1, 604_800] = 7200;
        /// Takes down what a test run put up: a program with its arguments, run in the folder of this file, in which {recipe}, {pull}, {head} and {branch}
        /// are replaced.
        teardown: Vec<String> = Vec::new();
        /// Says by its exit code whether the environment is clean. Asked before a recipe begins, and after its teardown.
        teardown_check: Vec<String> = Vec::new();
        /// Tests an upgrade and a change of its tests together: {recipe_dir} and {tests_dir} are replaced by checkouts, and
        /// {recipe_head} and {tests_head} by their commits.
        verify_command: Vec<String> = Vec::new();
        /// How long each of these commands may take.
        command_timeout_seconds: u64 [1, 86_400] = 1800;
        /// What is a test: exact paths, `dir/` for all below, `*` within a name; without a slash inside in every folder.
        test_paths: Vec<String> = ["tests/", "test/", "spec/", "e2e/"].map(str::to_owned).to_vec();
        /// What an agent may not touch besides tests and CI configuration, written the same way.
        denied_paths: Vec<String> = Vec::new();
        /// Registries, as HOST or HOST:PORT, that are spoken to without TLS.
        plain_http_registries: Vec<String> = Vec::new();
    }

    /// The trigger bridge.
    pub Bridge in ["upgrade.bridge"] {
        /// Whether the trigger starts the command below.
        enabled: bool = false;
        /// The CI: a program with its arguments, run on a clean checkout of the pull request's head.
        argv: Vec<String> = Vec::new();
        /// Instead of `argv`: the file name of a workflow of the mirror, which is asked to run on the pull request's branch.
        workflow: Option<String> = None;
        /// Accounts that may trigger it without write permission.
        people: Vec<String> = Vec::new();
        /// How long it may take.
        timeout_seconds: u64 [1, 86_400] = 3600;
    }

    /// A recipe.
    pub Recipe in ["recipe.*"] {
        /// The repository where pull requests are opened, as NAME:owner/repo.
        mirror: String {required} = String::new();
        /// Where the recipe comes from: a URL or a path that git understands. It is only read.
        upstream: String {required} = String::new();
        /// The branch of upstream, and of the mirror, that counts.
        main_branch: String = "main".to_owned();
        /// The service whose tag stands behind the plus of the recipe's version.
        app_service: String = "app".to_owned();
        /// Whether a new major version of an image is gone to.
        allow_major: bool = false;
        /// Tags that are never gone to; `*` stands for any run of characters.
        ignore: Vec<String> = Vec::new();
        /// Days that a tag has to have been known here before it is gone to.
        minimum_age_days: u32 [0, 3650] = 0;
        /// The repository of its tests, as NAME:owner/repo.
        tests: Option<String> = None;
    }
}
