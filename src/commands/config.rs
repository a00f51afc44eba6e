//! `config check`, `config show`, `config reference`.

use super::output;
use crate::app::App;
use crate::cli::Global;
use crate::config as cfg;
use crate::error::Error;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read the configuration and say what is wrong with it
    Check,
    /// Print the configuration file
    Show {
        /// Print every value that holds, also those that the file leaves out
        #[arg(long)]
        effective: bool,
    },
    /// Explain every key: type, default and meaning
    Reference,
}

pub fn run(global: &Global, command: &ConfigCommand) -> Result<u8, Error> {
    match command {
        ConfigCommand::Reference => {
            let text = cfg::reference();
            output::answer(global, "config", &text, &[json!({ "reference": text })]);
            Ok(0)
        }
        ConfigCommand::Check => {
            let app = App::load(global)?;
            let state = if app.switch.on { "off (the kill switch is on)" } else { "armed" };
            let repos: Vec<String> = app.config.allowlist.iter().map(ToString::to_string).collect();
            let text = format!(
                "{} is good: {state}, {} repo{} on the allowlist\n",
                app.config.path.display(),
                repos.len(),
                if repos.len() == 1 { "" } else { "s" }
            );
            output::answer(
                global,
                "config",
                &text,
                &[json!({ "path": app.config.path, "off": app.switch.on, "allowlist": repos })],
            );
            Ok(0)
        }
        ConfigCommand::Show { effective } => {
            let app = App::load(global)?;
            let text = if *effective { app.config.effective() } else { cfg::read(&app.config.path)? };
            output::answer(global, "config", &text, &[json!({ "path": app.config.path, "text": text })]);
            Ok(0)
        }
    }
}
