//! How recipes and effects of upgrades are written down.

use serde::{Deserialize, Serialize};

use super::{StoreError, StoreResult};
use crate::domain::model::{Oid, UnixTime};
use crate::domain::upgrade::guard::Bump;
use crate::domain::upgrade::verdict::{Mark, Verdict};
use crate::domain::upgrade::{Effect, Ending, Plan, Recipe, Settled, StaleTest, TestChange, Trial};

#[derive(Serialize, Deserialize)]
pub(super) struct RecipeRow {
    name: String,
    step: String,
    ending: Option<(String, String)>,
    since: i64,
    base: Option<String>,
    plan: Option<PlanRow>,
    head: Option<String>,
    pull: Option<u64>,
    supersedes: Vec<u64>,
    trials: Vec<TrialRow>,
    turns: u32,
    stale: Vec<StaleRow>,
    patch: Option<String>,
    test: Option<(String, Option<u64>)>,
    checked: bool,
    torn_down: bool,
    notes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct PlanRow {
    version: String,
    /// file, service, image, from, to
    bumps: Vec<[String; 5]>,
    notes: Vec<String>,
    head: String,
}

#[derive(Serialize, Deserialize)]
struct TrialRow {
    number: u32,
    head: String,
    newest_comment: u64,
    newest_status: u64,
    url: Option<String>,
    at: i64,
    trigger: Option<u64>,
    verdict: Option<(String, Option<String>)>,
    void: bool,
}

#[derive(Serialize, Deserialize)]
struct StaleRow {
    repo: String,
    path: String,
    test: String,
    why: String,
    build_url: String,
}

fn broken(what: &str) -> StoreError {
    StoreError::Row { what: format!("a recipe of an upgrade: {what}") }
}

fn oid(text: &str) -> StoreResult<Oid> {
    Oid::parse(text).ok_or_else(|| broken(&format!("object name `{text}`")))
}

fn verdict(word: &str, url: Option<String>) -> StoreResult<Verdict> {
    Ok(match (word, url) {
        ("GREEN", Some(url)) => Verdict::Green { url },
        ("RED", Some(url)) => Verdict::Red { url },
        ("PENDING", url) => Verdict::Pending { url },
        _ => return Err(broken("a verdict")),
    })
}

impl RecipeRow {
    pub(super) fn text(recipe: &Recipe) -> StoreResult<String> {
        let row = Self {
            name: recipe.name.clone(),
            step: recipe.step.code().to_owned(),
            ending: recipe.ending.as_ref().map(|e| (e.code().to_owned(), e.detail().to_owned())),
            since: recipe.since.0,
            base: recipe.base.as_ref().map(ToString::to_string),
            plan: recipe.plan.as_ref().map(plan_row),
            head: recipe.head.as_ref().map(ToString::to_string),
            pull: recipe.pull,
            supersedes: recipe.supersedes.clone(),
            trials: recipe.trials.iter().map(trial_row).collect(),
            turns: recipe.turns,
            stale: recipe.stale.iter().map(stale_row).collect(),
            patch: recipe.patch.clone(),
            test: recipe.test.as_ref().map(|t| (t.head.to_string(), t.pull)),
            checked: recipe.checked,
            torn_down: recipe.torn_down,
            notes: recipe.notes.clone(),
        };
        serde_json::to_string(&row).map_err(|e| broken(&e.to_string()))
    }

    pub(super) fn parse(text: &str) -> StoreResult<Recipe> {
        let row: Self = serde_json::from_str(text).map_err(|e| broken(&e.to_string()))?;
        let ending = row.ending.map(|(code, detail)| {
            Ending::parse(&code, &detail).ok_or_else(|| broken(&format!("ending `{code}`")))
        });
        Ok(Recipe {
            name: row.name,
            step: row.step.parse().map_err(|_unknown| broken(&format!("step `{}`", row.step)))?,
            ending: ending.transpose()?,
            since: UnixTime(row.since),
            base: row.base.as_deref().map(oid).transpose()?,
            plan: row.plan.map(plan).transpose()?,
            head: row.head.as_deref().map(oid).transpose()?,
            pull: row.pull,
            supersedes: row.supersedes,
            trials: row.trials.into_iter().map(trial).collect::<StoreResult<_>>()?,
            turns: row.turns,
            stale: row.stale.into_iter().map(stale).collect(),
            patch: row.patch,
            test: row
                .test
                .map(|(head, pull)| Ok::<_, StoreError>(TestChange { head: oid(&head)?, pull }))
                .transpose()?,
            checked: row.checked,
            torn_down: row.torn_down,
            notes: row.notes,
        })
    }
}

fn plan_row(plan: &Plan) -> PlanRow {
    let bump = |b: &Bump| [b.file.clone(), b.service.clone(), b.image.clone(), b.from.clone(), b.to.clone()];
    PlanRow {
        version: plan.version.clone(),
        bumps: plan.bumps.iter().map(bump).collect(),
        notes: plan.notes.clone(),
        head: plan.head.to_string(),
    }
}

fn plan(row: PlanRow) -> StoreResult<Plan> {
    let bump = |[file, service, image, from, to]: [String; 5]| Bump { file, service, image, from, to };
    Ok(Plan {
        version: row.version,
        bumps: row.bumps.into_iter().map(bump).collect(),
        notes: row.notes,
        head: oid(&row.head)?,
    })
}

fn trial_row(trial: &Trial) -> TrialRow {
    TrialRow {
        number: trial.number,
        head: trial.mark.head.to_string(),
        newest_comment: trial.mark.newest_comment,
        newest_status: trial.mark.newest_status,
        url: trial.mark.url.clone(),
        at: trial.at.0,
        trigger: trial.trigger,
        verdict: trial.verdict.as_ref().map(|v| (v.word().to_owned(), v.url().map(str::to_owned))),
        void: trial.void,
    }
}

fn trial(row: TrialRow) -> StoreResult<Trial> {
    Ok(Trial {
        number: row.number,
        mark: Mark {
            head: oid(&row.head)?,
            newest_comment: row.newest_comment,
            newest_status: row.newest_status,
            url: row.url,
        },
        at: UnixTime(row.at),
        trigger: row.trigger,
        verdict: row.verdict.map(|(word, url)| verdict(&word, url)).transpose()?,
        void: row.void,
    })
}

fn stale_row(test: &StaleTest) -> StaleRow {
    StaleRow {
        repo: test.repo.clone(),
        path: test.path.clone(),
        test: test.test.clone(),
        why: test.why.clone(),
        build_url: test.build_url.clone(),
    }
}

fn stale(row: StaleRow) -> StaleTest {
    StaleTest { repo: row.repo, path: row.path, test: row.test, why: row.why, build_url: row.build_url }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(super) enum EffectRow {
    StartCheck,
    Settle { pull: u64, merged: bool },
    Backup { head: String },
    SyncMirror { seen: Option<String>, upstream: String, force: bool },
    Push { branch: String, head: String, expected: Option<String> },
    OpenPull,
    Supersede { pull: u64 },
    Trigger { trial: u32 },
    SayTrial { trial: u32 },
    StartTurn { turn: u32 },
    SayStale,
    PushTests { head: String },
    OpenTestPull,
    StartVerify,
    CrossNotes { green: bool },
    StartTeardown,
    StartTeardownCheck,
}

impl EffectRow {
    pub(super) fn text(effect: &Effect) -> StoreResult<String> {
        let row = match effect.clone() {
            Effect::StartCheck => Self::StartCheck,
            Effect::Settle { pull, how } => Self::Settle { pull, merged: how == Settled::MergedUpstream },
            Effect::Backup { head } => Self::Backup { head: head.to_string() },
            Effect::SyncMirror { seen, upstream, force } => {
                Self::SyncMirror { seen: seen.map(|s| s.to_string()), upstream: upstream.to_string(), force }
            }
            Effect::Push { branch, head, expected } => {
                Self::Push { branch, head: head.to_string(), expected: expected.map(|e| e.to_string()) }
            }
            Effect::OpenPull => Self::OpenPull,
            Effect::Supersede { pull } => Self::Supersede { pull },
            Effect::Trigger { trial } => Self::Trigger { trial },
            Effect::SayTrial { trial } => Self::SayTrial { trial },
            Effect::StartTurn { turn } => Self::StartTurn { turn },
            Effect::SayStale => Self::SayStale,
            Effect::PushTests { head } => Self::PushTests { head: head.to_string() },
            Effect::OpenTestPull => Self::OpenTestPull,
            Effect::StartVerify => Self::StartVerify,
            Effect::CrossNotes { green } => Self::CrossNotes { green },
            Effect::StartTeardown => Self::StartTeardown,
            Effect::StartTeardownCheck => Self::StartTeardownCheck,
        };
        serde_json::to_string(&row).map_err(|e| broken(&e.to_string()))
    }

    pub(super) fn parse(text: &str) -> StoreResult<Effect> {
        let row: Self = serde_json::from_str(text).map_err(|e| broken(&e.to_string()))?;
        Ok(match row {
            Self::StartCheck => Effect::StartCheck,
            Self::Settle { pull, merged } => Effect::Settle {
                pull,
                how: if merged { Settled::MergedUpstream } else { Settled::Overtaken },
            },
            Self::Backup { head } => Effect::Backup { head: oid(&head)? },
            Self::SyncMirror { seen, upstream, force } => Effect::SyncMirror {
                seen: seen.as_deref().map(oid).transpose()?,
                upstream: oid(&upstream)?,
                force,
            },
            Self::Push { branch, head, expected } => Effect::Push {
                branch,
                head: oid(&head)?,
                expected: expected.as_deref().map(oid).transpose()?,
            },
            Self::OpenPull => Effect::OpenPull,
            Self::Supersede { pull } => Effect::Supersede { pull },
            Self::Trigger { trial } => Effect::Trigger { trial },
            Self::SayTrial { trial } => Effect::SayTrial { trial },
            Self::StartTurn { turn } => Effect::StartTurn { turn },
            Self::SayStale => Effect::SayStale,
            Self::PushTests { head } => Effect::PushTests { head: oid(&head)? },
            Self::OpenTestPull => Effect::OpenTestPull,
            Self::StartVerify => Effect::StartVerify,
            Self::CrossNotes { green } => Effect::CrossNotes { green },
            Self::StartTeardown => Effect::StartTeardown,
            Self::StartTeardownCheck => Effect::StartTeardownCheck,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::upgrade::Step;

    #[test]
    fn everything_comes_back() {
        let a = Oid::parse(&"a".repeat(40)).unwrap();
        let mut recipe = Recipe::new("app", UnixTime(7));
        recipe.step = Step::Wait;
        recipe.ending = Some(Ending::Failed("why".into()));
        recipe.base = Some(a.clone());
        recipe.head = Some(a.clone());
        recipe.plan = Some(Plan {
            version: "1.0.1+2".into(),
            bumps: vec![Bump {
                file: "c".into(),
                service: "s".into(),
                image: "i".into(),
                from: "1".into(),
                to: "2".into(),
            }],
            notes: vec!["n".into()],
            head: a.clone(),
        });
        recipe.supersedes = vec![3];
        recipe.patch = Some("p".into());
        recipe.test = Some(TestChange { head: a.clone(), pull: Some(4) });
        recipe.stale = vec![StaleTest {
            repo: "r".into(),
            path: "p".into(),
            test: "t".into(),
            why: "w".into(),
            build_url: "u".into(),
        }];
        for verdict in [
            None,
            Some(Verdict::Green { url: "u".into() }),
            Some(Verdict::Red { url: "u".into() }),
            Some(Verdict::Pending { url: None }),
        ] {
            let mark = Mark { head: a.clone(), newest_comment: 1, newest_status: 2, url: Some("u".into()) };
            recipe.trials.push(Trial {
                number: 1,
                mark,
                at: UnixTime(8),
                trigger: Some(9),
                verdict,
                void: true,
            });
        }
        assert_eq!(RecipeRow::parse(&RecipeRow::text(&recipe).unwrap()).unwrap(), recipe);
        assert!(RecipeRow::parse("{}").is_err() && EffectRow::parse("{\"do\":\"merge\"}").is_err());
        for effect in [
            Effect::StartCheck,
            Effect::Settle { pull: 1, how: Settled::MergedUpstream },
            Effect::Settle { pull: 1, how: Settled::Overtaken },
            Effect::Backup { head: a.clone() },
            Effect::SyncMirror { seen: None, upstream: a.clone(), force: false },
            Effect::SyncMirror { seen: Some(a.clone()), upstream: a.clone(), force: true },
            Effect::Push { branch: "b".into(), head: a.clone(), expected: Some(a.clone()) },
            Effect::OpenPull,
            Effect::Supersede { pull: 2 },
            Effect::Trigger { trial: 1 },
            Effect::SayTrial { trial: 1 },
            Effect::StartTurn { turn: 1 },
            Effect::SayStale,
            Effect::PushTests { head: a.clone() },
            Effect::OpenTestPull,
            Effect::StartVerify,
            Effect::CrossNotes { green: true },
            Effect::StartTeardown,
            Effect::StartTeardownCheck,
        ] {
            assert_eq!(EffectRow::parse(&EffectRow::text(&effect).unwrap()).unwrap(), effect);
            assert!(!effect.line().is_empty());
        }
    }
}
