//! The control issue: everything can be stopped from there, and nothing can be started.

use super::model::{Permission, Person, Seen};
use super::trust::TrustPolicy;

/// The label that puts the kill switch on.
pub const OFF_LABEL: &str = "offhours-off";

/// What is known of the label on the control issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub present: bool,
    /// Who put it there.
    pub by: Seen<Option<Person>>,
    /// What that person may do in the repo.
    pub permission: Seen<Permission>,
    pub writers_are_trusted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Nothing,
    /// The switch goes on, asked for by whom.
    Off(String),
    /// Somebody asked who may not.
    Ignored(String),
}

/// Whoever may write in the repo can stop everything. To stop is the safe side: where it cannot be told who asks, it is
/// stopped, because a stranger cannot set labels anywhere; one who is known and may not write is not heard.
pub fn judge(asked: &Asked, policy: &TrustPolicy) -> Order {
    if !asked.present {
        return Order::Nothing;
    }
    let unknown = || Order::Off("somebody who cannot be told".to_owned());
    let Seen::Known(Some(person)) = &asked.by else { return unknown() };
    let named = policy.people.iter().any(|name| name.trim().eq_ignore_ascii_case(person.login.trim()));
    match &asked.permission {
        _ if named || asked.writers_are_trusted => Order::Off(person.login.clone()),
        Seen::Known(held) if *held >= Permission::Write => Order::Off(person.login.clone()),
        Seen::Known(_) => Order::Ignored(person.login.clone()),
        Seen::Unreadable(_) => unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(login: Option<&str>, permission: Seen<Permission>) -> Asked {
        let by = login.map(|login| Person { login: login.to_owned(), bot: false });
        Asked { present: true, by: Seen::Known(by), permission, writers_are_trusted: false }
    }

    #[test]
    fn who_may_write_stops_it_and_who_is_known_not_to_is_not_heard() {
        let policy = TrustPolicy { permission: Permission::Admin, people: vec!["Eve".into()] };
        let off = |who: &str| Order::Off(who.to_owned());
        let unknown = off("somebody who cannot be told");
        let dark = || Seen::Unreadable("503".to_owned());
        for (case, want) in [
            (Asked { present: false, ..asked(Some("ada"), Seen::Known(Permission::Admin)) }, Order::Nothing),
            (asked(Some("ada"), Seen::Known(Permission::Admin)), off("ada")),
            (asked(Some("ada"), Seen::Known(Permission::Write)), off("ada")),
            (asked(Some("ada"), Seen::Known(Permission::Read)), Order::Ignored("ada".into())),
            (asked(Some("ada"), Seen::Known(Permission::None)), Order::Ignored("ada".into())),
            (asked(Some("eve"), Seen::Known(Permission::None)), off("eve")),
            (asked(Some("ada"), dark()), unknown.clone()),
            (asked(None, Seen::Known(Permission::None)), unknown.clone()),
            (Asked { by: dark_by(), ..asked(None, dark()) }, unknown),
            (Asked { writers_are_trusted: true, ..asked(Some("bob"), dark()) }, off("bob")),
        ] {
            assert_eq!(judge(&case, &policy), want, "{case:?}");
        }
    }

    fn dark_by() -> Seen<Option<Person>> {
        Seen::Unreadable("timeline".to_owned())
    }
}
