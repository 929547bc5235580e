//! `cargo xtask screenshots`: the console's main pages as pictures, in both themes.

use std::process::Command;

use crate::demo::build_programs;
use crate::process::{built, path_with, run, step};
use crate::setup::setup;

/// Tells a story to a `longshore dev` of its own, and photographs what a person would see. Needs what `longshore dev` and
/// the browser's tests need.
pub fn screenshots() -> anyhow::Result<()> {
    let tools = setup()?;
    build_programs()?;
    step("screenshots", || {
        run(Command::new(tools.join("python"))
            .args(["-m", "pytest", "-p", "no:cacheprovider", "--quiet", "browser/screenshots.py"])
            .current_dir(crate::repository().join("tests"))
            .env("PATH", path_with(&tools))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LONGSHORE_BIN", built("debug").join("longshore")))
    })
}
