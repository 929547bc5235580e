//! Any bytes as an AppSpec: read or refused, within a bounded time and without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::appspec::AppSpec;

fuzz_target!(|text: &[u8]| {
    if let Err(error) = AppSpec::parse(text) {
        // Whoever wrote the file reads this.
        assert!(!error.to_string().is_empty());
    }
});
