//! offhours: a control plane for coding agents that work while their owner is away from the keyboard.
//!
//! One binary, no daemon: cron starts it, it moves the work one step, and it exits. A tick is a straight line:
//!
//! ```text
//! observe  ->  decide  ->  record intent  ->  perform  ->  record outcome
//! ```
//!
//! - **observe** reads the world through ports: issues, checks, runner state, the store.
//! - **decide** is a pure function of state, snapshot, configuration and time: no clock, no I/O, no randomness.
//! - **record intent** commits the new state and the pending effects in one transaction.
//! - **perform** carries out each effect through a port. Each has an idempotency key and can be looked for in the world
//!   before it is tried again.
//! - **record outcome** marks the effect done with what came back.
//!
//! A process killed anywhere on that line loses nothing and repeats nothing: the next tick reads the pending intents,
//! looks whether each already happened, and goes on.
//!
//! # The rooms
//!
//! | room | what is in it |
//! |---|---|
//! | [`app`] | the composition root: builds what commands and ticks work with; the one room that names concrete adapters |
//! | [`commands`] | one file a command, with its arguments beside it; [`cli`] has the flags that every command takes |
//! | [`config`] | one table of keys, from which parsing, checking, the reference and the example follow |
//! | [`tick`] | the straight line: `poll` starts runs, `watch` moves them on, `harvest` scores them; `observe` and `perform` are the two hands |
//! | [`engine`] | the durable saga: the next pending intent is tried and settled, over any machine that has intents |
//! | [`domain`] | pure: what an issue, a run, a verdict is, and what is to be done |
//! | [`text`] | facts become words, once: comments, receipts, notices, what an agent is told, the report, doctor's sentences |
//! | [`ports`] | traits, one file a counterpart: forge, git, jobs, CI, notices, prompts, recipes, this machine |
//! | [`adapters`] | what stands behind the ports: forges, git, supervised processes, HTTP, notifiers, dry run |
//! | [`store`] | the state file: migrations, runs, intents, outbox, events, reasons, lessons |
//! | [`boundary`] | numbered instants at which tests end the process; nothing in a release |
//! | [`error`] | kinds of failure, their exit codes and hints |
//!
//! What a function touches stands in its signature: [`tick::Env`] has the ports, the clock and the deadline,
//! [`tick::HostPolicy`] is the configuration as data, [`store::Store`] the state file, [`tick::Log`] what the tick tells.
//!
//! # Who may know whom
//!
//! ```text
//! commands -> app -> everything        commands -> tick -> { engine, text, store, ports, domain }
//! engine -> { store, ports, domain }        store -> { ports, domain }
//! adapters -> { text, ports, domain }        text, ports, config -> domain        domain -> std, time, strum
//! ```
//!
//! - Nothing decides on words: an effect is decided with facts ([`domain::run::Said`]) and recorded with the words that
//!   [`text::worded`] makes of them. Of adapters only notifiers ask for words, since each service has its form, and git,
//!   for a lock that is in its way.
//! - Only `app` names concrete adapters. `tests/it/architecture.rs` refuses what this page does not allow; exceptions
//!   stand there, each with its reason.
//! - The domain knows no clock, no randomness and no hash: times, ids and hashes are data handed in. Clippy refuses the
//!   clock, the environment and processes everywhere; the I/O rooms lift that with a reason (`.clippy.toml`).
//! - Selection ([`domain::dispatch`]) and the run machine ([`domain::run`]) do not know the word for what later runs learn
//!   from earlier ones: that is an observer, never a gate.
//! - A closed enum has one spelling, which `strum` derives from the names of its variants; nothing decides on a string.
//! - Domain types do not derive serde: each adapter has its own wire structs, each table its own rows, and converts.
//! - No files name one another in a circle; no file has more than 500 lines.
//! - Merging is a trait of its own ([`ports::Merging`]): upgrades are given a forge without it ([`ports::RecipeForge`]).
//!
//! # What always holds
//!
//! - Nothing is done that was not recorded before; nothing recorded is done twice. The key of an effect is unique within
//!   its run ([`domain::effect::Effect::key`], the table `intents`).
//! - At most one run at a time works in a repository, and at most one on an issue, over any number of machines: the claim
//!   on the forge decides, not a label and not the state file.
//! - A run's state, its effects and its events change in one transaction ([`store::Store::step`]).
//! - While a supervisor lives its job's lock is held; a free lock without a result is an orphan, and whatever is left
//!   of it is ended before anything else touches that workspace. There are no pid files.
//! - A lock that a killed git left where only offhours writes goes away before anything needs it; any other is told, and
//!   an alarm after an hour ([`domain::lock`]).
//! - An agent has no forge credentials; git runs with them in a repository that no sandboxed agent can write.
//! - The kill switch is on if it is missing, unreadable, or on in any of three places.
//! - Every wait has a name that people see ([`domain::run::Wait`]), and every run ends with its work kept.
//! - A dry run is a world that cannot be written, not a flag that has to be thought of.
//! - No unsafe code. No panic on purpose: errors are sentences that say what was being done, what came back, what to do.
//!
//! # Words
//!
//! | word | what it is |
//! |---|---|
//! | tick | one start of the binary |
//! | snapshot | what one look brought, as data |
//! | forge | where issues and repositories are: GitHub, Gitea, Forgejo, a folder |
//! | pull request | work that a person or the forge merges |
//! | run | one issue being worked on |
//! | turn | one agent process inside a run |
//! | job | anything supervised: a turn, a verify, a CI stage |
//! | runner | how an agent is started, and whose account it uses |
//! | check | what CI says of one commit under one name |
//! | verify | the repo's own tests on a clean checkout |
//! | verdict | what the checks come to: green, red, pending |
//! | row | one line of the table that decides a run's next step |
//! | effect | an act on the world, as data |
//! | nature | what kind of act an effect is: starts work, is seen on the forge |
//! | intent | an effect that is recorded |
//! | outcome | how an effect or a run ended |
//! | claim | the refs that make an issue ours |
//! | slot | the ref that makes a repo ours to work in |
//! | landing | how work reaches its target branch |
//! | fix-forward | a further turn after red checks |
//! | hand back, freeze, park | the ways to stop: for a person, as it is, until later |
//! | salvage | keeping the work |
//! | approval | who let a text be worked on, and which text |
//! | reason | a code in the ledger: why an issue starts or not |
//! | template, version | the prompt, and one text of it |
//! | champion, canary | the version in use, and the one that is tried beside it |
//! | graduate, roll back | how a canary ends |
//! | lesson | what later runs learn from earlier ones |
//! | recipe, upgrade, trial, batch | what is kept up to date; one step of that; one run of its tests; a night's work |
//! | notice, alarm | what people are told; a notice that stands until its cause is gone |
//! | hold | why nothing starts in a repo |
//! | dry run | a world without hands |
//! | idempotency key | what makes an act the same one when it is met again |
//!
//! # Where to start reading: the path of one issue
//!
//! 1. `commands/tick.rs` takes the lock, opens the store and has [`app`] build what the tick touches and decides by.
//! 2. `tick/poll.rs` lists ready issues into the store, and asks [`domain::dispatch::select`] which of them start; that in
//!    turn asks for evidence of [`domain::trust`] and blockers (`tick/poll/gather.rs`). Each answer goes to the reason ledger.
//! 3. `tick/poll/start.rs` reads the chosen one again. [`domain::run::dispatch_effects`] says what is to be done: claim,
//!    prepare, start the turn, label, comment. [`store::Store::begin_run`] records it; `tick/drive.rs` has the [`engine`] do
//!    it by `tick/perform.rs`.
//! 4. `adapters/runner/command.rs` starts a supervisor, `adapters/runner/supervise.rs`, which outlives the tick: it runs the
//!    agent, then the repo's own tests, and leaves a result by rename.
//! 5. A later tick: `tick/watch.rs` drives each run in flight. `tick/observe.rs` gathers the evidence (the turn, the work, the
//!    pull request, CI: a file each below it), `tick/record.rs` writes down what that found, [`domain::run::next`] decides
//!    on one row of its table (`domain/run/row.rs`), and `tick/perform.rs` acts, a file below it for each kind of act: land
//!    ([`domain::guard`] looks at it before), start CI, fix forward, close, hand back, freeze.
//! 6. `adapters/git/` fetches from the workspace, lands, and salvages; `adapters/forge/` has a folder for each forge, with its
//!    issues, pull requests, checks, and the trials of upgrades.
//! 7. `tick/outbox.rs` sends the notices. Beside the path, `tick/lessons.rs` reads the events of all this, and
//!    [`domain::lesson`] says what is to be learned from them; only what an agent is told depends on it.

pub mod adapters;
pub mod app;
pub mod boundary;
pub mod cli;
pub mod commands;
pub mod config;
pub mod domain;
pub mod engine;
pub mod error;
pub mod ports;
pub mod store;
pub mod text;
pub mod tick;
