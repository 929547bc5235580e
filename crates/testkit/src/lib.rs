//! What tests share: simulated fleets in virtual time.

pub mod random;
pub mod simulation;
