//! `longshore`: the control plane, the development server and the operator's commands.

mod args;
mod backup;
mod client;
mod commands;
mod data_dir;
mod follow;
mod instances;
mod logs;
mod outcome;
mod output;
mod push;
mod serve;
mod service;
mod telemetry;
mod words;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    // An instance's first processes are this program started again; nothing else may run before that is known.
    compute::run_if_sandbox_process();
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        console::set_colors_enabled(false);
        console::set_colors_enabled_stderr(false);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version that were asked for are printed in the same way, and are no mistake.
            let code =
                if error.use_stderr() { ExitCode::from(outcome::USAGE) } else { ExitCode::SUCCESS };
            let _ = error.print();
            return code;
        }
    };
    run(arguments).unwrap_or_else(|error| outcome::tell(&error))
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Server(server) => serve::server(&server),
        Command::Dev(dev) => serve::dev(&dev),
        Command::Backup(asked) => backup::back_up(&asked),
        Command::Restore(asked) => backup::restore(&asked),
        Command::Credentials(credentials) => {
            let data_dir = data_dir::DataDir::at(credentials.data_dir.or_default());
            print!("{}", data_dir.credentials_text(credentials.env)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Instances(args::Instances { command: args::InstancesCommand::Shell(shell) }) => {
            instances::shell(&shell)
        }
        Command::Operator(command) => commands::run(&command),
        Command::Completions(completions) => commands::completions(&completions),
        Command::Man(man) => commands::man(&man),
    }
}
