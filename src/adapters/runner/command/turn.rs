//! A turn as the supervisor is told of it: the agent's argv, and the session that it goes on with.

use super::RunnerSettings;
use crate::adapters::runner::folder::{JobFiles, SessionFile, TurnFile};
use crate::domain::model::Asked;
use crate::ports::TurnSpec;

/// No agent takes a budget of nothing.
const LEAST_BUDGET_USD: f64 = 0.01;

/// The session that an earlier turn of this run had, by its own file: also where that turn's supervisor died.
fn earlier_session(turn: &TurnSpec, id: &str) -> Option<SessionFile> {
    let (run, number) = id.rsplit_once("-t")?;
    let number: u32 = number.parse().ok()?;
    (1..number).rev().find_map(|k| JobFiles::new(&turn.folder.job(&format!("{run}-t{k}"))).read_session())
}

pub(super) fn turn_file(id: &str, turn: &TurnSpec, runner: &RunnerSettings) -> TurnFile {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let earlier = earlier_session(turn, id);
    // A session of another agent's is none, where the runner was changed in between.
    let same = earlier.as_ref().is_none_or(|file| file.profile == runner.profile.into());
    let counted = earlier.as_ref().and_then(SessionFile::counted).map(|counted| counted.session);
    let session = if same { turn.session.clone().or(counted) } else { None };
    let mut budget = runner.budget_args.clone().unwrap_or_else(|| words(runner.profile.budget_args()));
    if turn.budget_usd <= 0.0 {
        budget.clear();
    }
    let filled = |session: Option<&str>| -> Vec<String> {
        let more = session.map(|_| {
            let own = || words(runner.profile.session_args());
            runner.session_args.clone().unwrap_or_else(own)
        });
        let budget_usd = format!("{:.2}", turn.budget_usd.max(LEAST_BUDGET_USD));
        let fill = |word: &String| {
            word.replace("{session}", session.unwrap_or_default()).replace("{budget_usd}", &budget_usd)
        };
        runner.argv.iter().chain(more.iter().flatten()).chain(&budget).map(fill).collect()
    };
    let passed = |name: &str| runner.surroundings.env.iter().any(|passed| passed == name);
    let own = runner.profile.variables().iter().filter(|(name, _)| !passed(name));
    TurnFile {
        run: turn.run.clone(),
        folder: turn.folder.dir.clone(),
        base: turn.base.as_str().to_owned(),
        profile: runner.profile.into(),
        prices: runner.prices.map(Into::into),
        argv: filled(session.as_deref()),
        fresh_argv: if session.is_some() { filled(None) } else { Vec::new() },
        set: own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        before: earlier.filter(|_| same),
        of_upgrade: turn.asked == Asked::Upgrade,
        tmux: None,
        prompt: runner.prompt,
        session,
        first: turn.first,
        hooks: runner.hooks.clone(),
        hook_timeout_seconds: runner.hook_timeout_seconds,
        verify: turn.verify.clone(),
        verify_timeout_seconds: runner.verify_timeout_seconds,
    }
}
