//! Issues as they are named on the command line.

use clap::Args;

#[derive(Debug, Clone, Args)]
pub struct IssueArg {
    /// The issue, as NAME:owner/repo#N or owner/repo#N
    #[arg(value_name = "REPO#N", value_parser = IssueTarget::parse)]
    pub issue: IssueTarget,
}

/// `REPO#N` with the repo as it was written; the configuration knows which forge it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueTarget {
    pub repo: String,
    pub number: u64,
}

impl IssueTarget {
    /// # Errors
    /// A sentence where the text is not `REPO#N`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read = text.rsplit_once('#').and_then(|(repo, number)| {
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let number = number.parse::<u64>().ok().filter(|n| digits && *n > 0)?;
            (!repo.is_empty()).then(|| Self { repo: repo.to_owned(), number })
        });
        read.ok_or_else(|| "write the issue as REPO#N, for example home:me/project#7".to_owned())
    }
}
