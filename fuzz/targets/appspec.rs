//! Any bytes as an AppSpec: read or refused, within a bounded time and without a panic.
#![no_main]

use std::panic;
use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use model::appspec::AppSpec;

static HOOK: Once = Once::new();

fuzz_target!(|text: &[u8]| {
    HOOK.call_once(pass_over_the_scanner);
    if let Err(error) = AppSpec::parse(text) {
        // Whoever wrote the file reads this.
        assert!(!error.to_string().is_empty());
    }
});

/// The YAML scanner may panic, which is caught and told as a syntax error; whatever else panics is a finding.
fn pass_over_the_scanner() {
    let found = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_scanner = info.location().is_some_and(|at| at.file().contains("libyaml-safer"));
        if !is_scanner {
            found(info);
        }
    }));
}
