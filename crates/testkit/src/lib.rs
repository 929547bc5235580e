//! What tests share: simulated fleets in virtual time.

pub mod planning;
pub mod random;
pub mod simulation;
