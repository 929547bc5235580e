//! The control plane: the HTTP edge, the operations of every service, the driver of deployments.
//!
//! `http` turns bytes into verified calls, `app` and its neighbours `ec2`, `iam`, `sts` and `s3` answer them, `hosts`
//! speaks with the agents, and `driver` moves deployments forward. No handler sets a status: handlers write facts and
//! intents down, and only the driver's commit changes a deployment.

pub mod server;

pub use server::{Config, Listen, RunningServer, Server, StartError};

pub mod backup;
pub mod clock;
pub mod data_dir;
pub mod histogram;
pub mod trace;
pub mod wake;

pub mod http;

pub mod app;

pub mod console;

pub mod driver;
pub mod github;
pub mod hosts;
pub mod inventory;
pub mod published;
pub mod signer;

pub mod alarms;
pub mod cloudwatch;
pub mod ec2;
pub mod forms;
pub mod iam;
pub mod metadata;
pub mod notifications;
pub mod outbound;
pub mod performer;
pub mod s3;
pub mod sns;
pub mod sts;
