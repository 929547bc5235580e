//! The edge: bytes become verified calls here, and answers become bytes.

pub mod body;
pub mod listen;
pub mod metrics;
pub mod route;
