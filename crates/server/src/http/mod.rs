//! The edge: bytes become verified calls here, and answers become bytes.

pub mod edge;
pub mod s3_access;

pub mod route;

pub mod audit;
pub mod auth;
pub mod permissions;

mod commands;
mod form;
mod json;
mod longshore;
mod monitoring;
mod own;

pub mod throttle;

pub mod body;
pub mod respond;

pub mod listen;
pub mod metrics;
