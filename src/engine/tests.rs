//! A machine in memory, ended at every act on its book and on its world, and gone on with by another.

use super::*;
use crate::error::Error;
use crate::ports::{PortError, PortResult};
use crate::store::Intent;

/// What outlives a process: the intents with what became of them, and what was done to the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Book {
    intents: Vec<(&'static str, u32, Option<Settlement<String>>)>,
    world: Vec<&'static str>,
    over: bool,
}

struct Toy<'a> {
    book: &'a mut Book,
    /// What the world answers, by effect; one answer a try, then done.
    answers: Vec<(&'static str, PortResult<EffectOutcome<String>>)>,
    gate: Gate,
    /// Undoes everything where this is answered with an error.
    needed: &'static str,
    told: Vec<String>,
    /// Acts until the process is ended.
    left: usize,
}

impl<'a> Toy<'a> {
    fn new(book: &'a mut Book) -> Self {
        Self { book, answers: vec![], gate: Gate::Open, needed: "", told: vec![], left: usize::MAX }
    }

    fn act(&mut self) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or_else(|| Error::internal("ended"))?;
        Ok(())
    }

    fn row(&mut self, intent: &Intent<&'static str>) -> &mut (&'static str, u32, Option<Settlement<String>>) {
        &mut self.book.intents[usize::try_from(intent.id).unwrap()]
    }
}

impl Machine for Toy<'_> {
    type State = ();
    type Effect = &'static str;
    type Brought = String;

    fn state(&mut self) -> Result<Option<()>, Error> {
        Ok(Some(()))
    }

    fn pending(&mut self, (): &()) -> Result<Option<Intent<&'static str>>, Error> {
        let found = (0_i64..).zip(&self.book.intents).find(|(_, (_, _, settled))| settled.is_none());
        Ok(found.map(|(id, (effect, tries, _))| Intent { id, effect: *effect, tries: *tries }))
    }

    fn gate(&mut self, (): &(), _: &Intent<&'static str>) -> Result<Gate, Error> {
        Ok(self.gate)
    }

    fn trying(&mut self, intent: &Intent<&'static str>) -> Result<(), Error> {
        self.act()?;
        self.row(intent).1 += 1;
        Ok(())
    }

    fn perform(
        &mut self,
        (): &(),
        intent: &Intent<&'static str>,
    ) -> Result<PortResult<EffectOutcome<String>>, Error> {
        if let Some(at) = self.answers.iter().position(|(effect, _)| *effect == intent.effect) {
            return Ok(self.answers.remove(at).1);
        }
        // What was tried is looked for first.
        if intent.tries == 0 || !self.book.world.contains(&intent.effect) {
            self.act()?;
            self.book.world.push(intent.effect);
        }
        self.act()?;
        Ok(Ok(EffectOutcome::Done(intent.effect.to_owned())))
    }

    fn settle(&mut self, intent: &Intent<&'static str>, how: Settlement<String>) -> Result<(), Error> {
        self.act()?;
        self.row(intent).2 = Some(how);
        Ok(())
    }

    fn patience(&self, effect: &&'static str) -> u32 {
        if effect.starts_with("say") { 3 } else { 1 }
    }

    fn unwind(&mut self, (): &(), intent: &Intent<&'static str>, _: &PortError) -> Result<bool, Error> {
        if intent.effect != self.needed {
            return Ok(false);
        }
        for (_, _, settled) in &mut self.book.intents {
            settled.get_or_insert(Settlement::Cancelled("unwound".to_owned()));
        }
        self.book.intents.push(("undo", 0, None));
        Ok(true)
    }

    fn refused(&mut self, (): &(), intent: &Intent<&'static str>, error: &PortError) -> Result<(), Error> {
        self.told.push(format!("{}: no, {error}", intent.effect));
        Ok(())
    }

    fn later(&mut self, (): &(), error: &PortError) -> Result<(), Error> {
        self.told.push(format!("later, {error}"));
        Ok(())
    }

    fn settled(&mut self, (): &()) -> Result<(), Error> {
        self.act()?;
        self.book.over = true;
        Ok(())
    }
}

fn book(effects: &[&'static str]) -> Book {
    Book { intents: effects.iter().map(|effect| (*effect, 0, None)).collect(), ..Book::default() }
}

#[test]
fn wherever_it_is_ended_everything_is_done_once_and_in_order() {
    let effects = ["claim", "push", "say"];
    for left in 0..30 {
        let mut book = book(&effects);
        let mut toy = Toy { left, ..Toy::new(&mut book) };
        let ended = drive(&mut toy).is_err();
        assert_eq!(ended, left < 13, "{left}");
        assert_eq!(drive(&mut Toy::new(&mut book)), Ok(true));
        assert_eq!((book.world.as_slice(), book.over), (effects.as_slice(), true), "{left}");
        for (effect, tries, settled) in book.intents {
            assert_eq!(settled, Some(Settlement::Done(effect.to_owned())));
            assert!((1..=2).contains(&tries), "{left}: {effect} was tried {tries} times");
        }
    }
}

#[test]
fn each_answer_settles_the_intent_or_leaves_it() {
    let cancelled = Some(Settlement::Cancelled("why".to_owned()));
    let refused = Some(Settlement::Refused("why".to_owned()));
    let why = || "why".to_owned();
    let cases = [
        (Ok(EffectOutcome::Again(why())), cancelled.clone(), true, ""),
        (Ok(EffectOutcome::NotNow(why())), cancelled, false, ""),
        (Ok(EffectOutcome::UnderWay), None, false, ""),
        (Err(PortError::refused("why")), refused.clone(), true, "push: no, why"),
        (Err(PortError::gone("why")), refused, true, "push: no, why"),
        (Err(PortError::later("why")), None, false, "later, why"),
        (Err(PortError::broken("why")), None, false, "later, why"),
        (Err(PortError::Credentials { what: why() }), None, false, "later, why"),
    ];
    for (answer, settled, goes_on, told) in cases {
        let mut book = book(&["push", "close"]);
        let mut toy = Toy { answers: vec![("push", answer.clone())], ..Toy::new(&mut book) };
        assert_eq!(drive(&mut toy), Ok(goes_on), "{answer:?}");
        assert_eq!(toy.told.concat(), told, "{answer:?}");
        assert_eq!((&book.intents[0].2, book.intents[0].1), (&settled, 1), "{answer:?}");
        assert_eq!(book.world.contains(&"close"), goes_on, "{answer:?}");
    }
}

#[test]
fn what_people_see_is_refused_by_the_third_no_only() {
    let mut book = book(&["say"]);
    let no = || ("say", Err(PortError::refused("why")));
    for (tick, told) in [(1, "later, why"), (2, "later, why"), (3, "say: no, why")] {
        let mut toy = Toy { answers: vec![no()], ..Toy::new(&mut book) };
        assert_eq!(drive(&mut toy), Ok(tick == 3));
        assert_eq!(toy.told, [told]);
    }
    assert_eq!(book.intents[0].2, Some(Settlement::Refused("why".to_owned())));
}

#[test]
fn what_is_unwound_is_cancelled_and_undone() {
    let mut book = book(&["claim", "prepare", "start"]);
    let answers = vec![("prepare", Err(PortError::later("why")))];
    let mut toy = Toy { answers, needed: "prepare", ..Toy::new(&mut book) };
    assert_eq!(drive(&mut toy), Ok(true));
    assert_eq!(book.world, ["claim", "undo"]);
    assert!(book.intents.iter().all(|(_, _, settled)| settled.is_some()) && book.over);
}

#[test]
fn behind_a_shut_gate_nothing_is_tried() {
    let mut book = book(&["claim"]);
    let before = book.clone();
    assert_eq!(drive(&mut Toy { gate: Gate::Shut, ..Toy::new(&mut book) }), Ok(false));
    assert_eq!(book, before);
}
