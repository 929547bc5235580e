//! The performer: makes the machine's local instances be what their records say they should be.

/// Makes the machine's local instances be what their records say.
#[derive(Debug)]
pub struct Performer {}
