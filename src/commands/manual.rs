//! `completions` and `man`: out of the same types as the help.

use std::path::Path;

use clap::{Args, Command};

use super::output;
use crate::cli::Global;
use crate::error::Error;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder, instead of printing the first one
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// The script for a shell.
pub fn completion_script(shell: clap_complete::Shell, mut line: Command) -> String {
    let mut out = vec![];
    clap_complete::generate(shell, &mut line, "offhours", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// `line`: the command line as it is defined.
pub fn completions(args: &CompletionsArgs, line: Command) -> Result<u8, Error> {
    output::out(&completion_script(args.shell, line));
    Ok(0)
}

/// Every manual page: its file's name and its text.
pub fn pages(line: Command) -> Result<Vec<(String, String)>, Error> {
    let mut root = line.version("").disable_help_flag(false);
    root.build();
    let mut pages = vec![];
    collect(&root, "offhours", &mut pages)?;
    pages.sort();
    Ok(pages)
}

fn collect(command: &Command, name: &str, pages: &mut Vec<(String, String)>) -> Result<(), Error> {
    if command.is_hide_set() {
        return Ok(());
    }
    let mut text = vec![];
    clap_mangen::Man::new(command.clone())
        .title(name)
        // No date and no version: the page changes when the command does.
        .date("")
        .source("offhours")
        .render(&mut text)
        .map_err(|e| Error::internal(format!("making the page of {name}: {e}")))?;
    pages.push((format!("{name}.1"), String::from_utf8_lossy(&text).into_owned()));
    for below in command.get_subcommands() {
        collect(below, &format!("{name}-{}", below.get_name()), pages)?;
    }
    Ok(())
}

pub fn man(global: &Global, args: &ManArgs, line: Command) -> Result<u8, Error> {
    let pages = pages(line)?;
    let Some(dir) = &args.dir else {
        let first = pages.iter().find(|(name, _)| name == "offhours.1");
        output::out(first.map_or("", |(_, text)| text));
        return Ok(0);
    };
    if !global.dry_run {
        write_all(dir, &pages)?;
    }
    let verb = if global.dry_run { "would be written" } else { "are written" };
    let text = format!("{} pages {verb} to {}\n", pages.len(), dir.display());
    output::answer(global, "man", &text, &[json!({ "dir": dir, "pages": pages.len() })]);
    Ok(0)
}

fn write_all(dir: &Path, pages: &[(String, String)]) -> Result<(), Error> {
    let trouble = |e: std::io::Error| Error::later(format!("writing pages to {}: {e}", dir.display()));
    std::fs::create_dir_all(dir).map_err(trouble)?;
    for (name, text) in pages {
        std::fs::write(dir.join(name), text).map_err(trouble)?;
    }
    Ok(())
}
