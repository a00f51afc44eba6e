//! Which silence is an alarm: when a command that is expected has not been heard of for too long.

use super::model::UnixTime;
use crate::domain::moment::format_duration;
use crate::domain::moment::format_time;

/// A command and when it was last started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub command: String,
    pub at: UnixTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silent {
    pub command: String,
    pub sentence: String,
}

/// What has fallen silent, as seen by the tick of `own` that starts now. `heard` is what was known before it; a limit of
/// zero turns this off.
///
/// `tick` does what `poll` and `watch` do: where it is heard, those are not missed, and where both are, it is not.
pub fn schedule(heard: &[Heard], own: &str, now: UnixTime, limit: i64, switched_off: bool) -> Vec<Silent> {
    if limit <= 0 {
        return vec![];
    }
    let last = |command: &str| heard.iter().find(|h| h.command == command).map(|h| h.at);
    let recent = |command: &str| command == own || last(command).is_some_and(|at| now.since(at) <= limit);
    let mut found = vec![];
    for command in ["tick", "poll", "watch"] {
        let Some(at) = last(command).filter(|at| now.since(*at) > limit) else { continue };
        let stood_in = match command {
            "tick" => recent("poll") && recent("watch"),
            _ => recent("tick"),
        };
        // While it is switched off `poll` leaves no trace.
        let asleep = command == "poll" && switched_off;
        if command == own {
            found.push(Silent {
                command: command.to_owned(),
                sentence: format!(
                    "nothing started `{command}` between {} and {} ({}): the schedule did not fire, or the machine was off",
                    format_time(at),
                    format_time(now),
                    format_duration(now.since(at))
                ),
            });
        } else if !stood_in && !asleep {
            found.push(Silent {
                command: command.to_owned(),
                sentence: format!(
                    "nothing has started `{command}` since {}, while `{own}` runs: see `offhours schedule verify`",
                    format_time(at)
                ),
            });
        }
    }
    found
}

/// Those of `wanted` that a repo has not; labels are compared as people read them.
pub fn missing(wanted: &[String], have: &[String]) -> Vec<String> {
    let there = |name: &str| have.iter().any(|known| known.to_lowercase() == name.to_lowercase());
    wanted.iter().filter(|name| !there(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000_000);

    fn silent(heard: &[(&str, i64)], own: &str, limit: i64, off: bool) -> Vec<String> {
        let heard: Vec<Heard> =
            heard.iter().map(|(c, ago)| Heard { command: (*c).to_owned(), at: NOW.plus(-ago) }).collect();
        schedule(&heard, own, NOW, limit, off).into_iter().map(|s| s.command).collect()
    }

    #[test]
    fn who_is_missed() {
        for (heard, own, expected) in [
            (vec![], "tick", vec![]),
            (vec![("tick", 100)], "tick", vec![]),
            (vec![("tick", 101)], "tick", vec!["tick"]),
            (vec![("poll", 101), ("watch", 10)], "watch", vec!["poll"]),
            (vec![("poll", 100), ("watch", 10)], "watch", vec![]),
            (vec![("poll", 10), ("watch", 500)], "poll", vec!["watch"]),
            // Somebody went over from two lines to one, or back.
            (vec![("poll", 900), ("watch", 900), ("tick", 10)], "tick", vec![]),
            (vec![("tick", 900), ("watch", 10), ("poll", 10)], "watch", vec![]),
            (vec![("tick", 900), ("watch", 10)], "watch", vec!["tick"]),
            (vec![("run once", 900)], "tick", vec![]),
        ] {
            assert_eq!(silent(&heard, own, 100, false), expected, "{heard:?} {own}");
            assert_eq!(silent(&heard, own, 0, false), Vec::<String>::new());
        }
        assert_eq!(silent(&[("poll", 900), ("watch", 10)], "watch", 100, true), Vec::<String>::new());
    }
}
