//! What the control issue shows.

use super::mark::MARK;
use crate::domain::escape::markdown;

const END: &str = "<!-- /offhours -->";

/// How things stand, as lines; without times, so that it changes only when something did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Standing {
    /// Why it is off; empty: it is on.
    pub off: Vec<String>,
    pub needs_you: Vec<String>,
    pub working: Vec<String>,
    pub alarms: Vec<String>,
}

/// The text with our part brought up to date: what a person wrote around it stays.
pub fn control_text(current: &str, standing: &Standing, off_label: &str) -> String {
    let start = format!("{MARK}control -->");
    let ours = ours(standing, off_label, &start);
    let Some(begin) = current.find(&start) else {
        let before = current.trim_end();
        return if before.is_empty() { ours } else { format!("{before}\n\n{ours}") };
    };
    let (before, rest) = current.split_at(begin);
    let after = rest.find(END).and_then(|end| rest.get(end + END.len()..)).unwrap_or_default();
    format!("{before}{ours}{}", after.strip_prefix('\n').unwrap_or(after))
}

fn ours(standing: &Standing, off_label: &str, start: &str) -> String {
    let mut text = format!("{start}\n");
    if standing.off.is_empty() {
        text.push_str("**offhours is on.**\n");
    } else {
        text.push_str(&format!("**offhours is off**: {}.\n", markdown(&standing.off.join("; "), 400)));
    }
    for (title, lines) in
        [("Needs you", &standing.needs_you), ("Working", &standing.working), ("Alarms", &standing.alarms)]
    {
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}:\n"));
            for line in lines.iter().take(30) {
                text.push_str(&format!("- {}\n", markdown(line, 300)));
            }
        }
    }
    text.push_str(&format!(
        "\nTo stop everything, put the label `{off_label}` on this issue. Only `offhours resume` on the host takes it \
         back.\n{END}\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_wrote_around_it_stays() {
        let standing = Standing { working: vec!["home:o/r#7 @all turn 1".into()], ..Standing::default() };
        let first = control_text("My night shift.\n", &standing, "offhours-off");
        assert!(
            first.starts_with("My night shift.\n\n<!-- offhours:control -->\n**offhours is on.**\n"),
            "{first}"
        );
        assert!(!first.contains("@all"), "nobody is mentioned: {first}");
        assert_eq!(control_text(&first, &standing, "offhours-off"), first, "said once, it is not said again");
        let off = Standing { off: vec!["the file stands".into()], ..Standing::default() };
        let second = control_text(&format!("{first}Below.\n"), &off, "offhours-off");
        assert!(second.starts_with("My night shift.") && second.ends_with("Below.\n"), "{second}");
        assert!(
            second.contains("**offhours is off**: the file stands.") && !second.contains("Working"),
            "{second}"
        );
    }
}
