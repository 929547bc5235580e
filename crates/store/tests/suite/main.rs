//! One suite for both engines: each behaviour is checked on SQLite and on PostgreSQL.

// The name by which every other crate knows it.
extern crate longshore_store as store;

mod support;

mod applications;
mod commits;
mod deployments;
mod documents;
mod fleets;
mod hook_output;
mod host_plans;
mod hosts;
mod moments;
mod notifications;
mod objects;
mod older_schemas;
mod overviews;
mod postgres;
mod queues;
mod rollbacks;
mod room;
mod schema;
mod sqlite;
