//! Parse, run, turn the error into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use offhours::commands;
use offhours::commands::Cli;
use offhours::commands::output;
use offhours::error::Kind;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let help = !error.use_stderr();
            // A closed pipe is nobody's failure.
            drop(error.print());
            return ExitCode::from(if help { 0 } else { Kind::Usage.exit_code() });
        }
    };
    match commands::run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::err(&format!("offhours: {error}"));
            if cli.global.json {
                let item = serde_json::json!({ "what": error.what, "hint": error.hint, "exit_code": error.kind.exit_code() });
                let envelope =
                    output::envelope("offhours", offhours::tick::TickOutcome::Partial, &[], &[item]);
                output::out(&envelope.to_string());
            }
            ExitCode::from(error.kind.exit_code())
        }
    }
}
