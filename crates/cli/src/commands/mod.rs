//! The operator's commands, one file per noun.

mod alarms;
mod deploy;
mod deployments;
mod doctor;
mod explain;
mod files;
mod groups;
mod hosts;
mod logs;
mod manual;
mod plan;
mod reference;

use std::process::ExitCode;

use crate::args::{DeploymentCommand, GroupCommand, OperatorCommand, Remote};
use crate::client::Client;

pub use manual::{completions, man};

/// Runs a command that asks a server, on one thread: it asks one thing after the other.
pub fn run(command: &OperatorCommand) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(ask(command))
}

async fn ask(command: &OperatorCommand) -> anyhow::Result<ExitCode> {
    match command {
        OperatorCommand::Deploy(deploy) => deploy::deploy(deploy).await,
        OperatorCommand::Push(push) => deploy::push(push).await,
        OperatorCommand::Promote(promote) => deploy::promote(promote).await,
        OperatorCommand::Deployment(of) => match &of.command {
            DeploymentCommand::List(list) => deployments::list(list).await,
            DeploymentCommand::Get(one) => deployments::get(one).await,
            DeploymentCommand::Watch(one) => deployments::watch(one).await,
            DeploymentCommand::Stop(stop) => deployments::stop(stop).await,
            DeploymentCommand::Rollback(again) => deployments::roll_back(again).await,
            DeploymentCommand::Retry(again) => deployments::retry(again).await,
            DeploymentCommand::Explain(explain) => explain::explain(explain).await,
            DeploymentCommand::Plan(plan) => plan::plan(plan).await,
            DeploymentCommand::Files(of) => files::files(of).await,
            DeploymentCommand::Logs(logs) => logs::logs(logs).await,
        },
        OperatorCommand::Group(of) => match &of.command {
            GroupCommand::List(list) => groups::list(list).await,
            GroupCommand::Get(one) => groups::get(one).await,
        },
        OperatorCommand::Hosts(hosts) => hosts::list(hosts).await,
        OperatorCommand::Alarms(alarms) => alarms::list(alarms).await,
        OperatorCommand::Doctor(doctor) => doctor::doctor(doctor).await,
    }
}

async fn client(remote: &Remote) -> anyhow::Result<Client> {
    Client::new(&remote.given()).await
}
