//! `longshore`: the control plane, the development server and the operator's commands.

mod args;
mod data_dir;
mod instances;
mod logs;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    // An instance's first processes are this program started again; nothing else may run before that is known.
    compute::run_if_sandbox_process();
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("longshore: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Server(server) => serve::server(&server),
        Command::Dev(dev) => serve::dev(&dev),
        Command::Credentials(credentials) => {
            let data_dir = data_dir::DataDir::at(credentials.data_dir.or_default());
            print!("{}", data_dir.credentials_text(credentials.env)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Instances(args::Instances { command: args::InstancesCommand::Shell(shell) }) => {
            instances::shell(&shell)
        }
    }
}
