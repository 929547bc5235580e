//! Turns the service models of `crates/wire/models` into the checked-in Rust of `crates/wire/src`.
//!
//! The output is plain, greppable and reviewed like any other code; a test compares it with a fresh run.

mod botocore;
mod code;
mod model;
mod rules;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use model::Model;

/// Writes the generated files, or with `check` only compares them.
///
/// Fails with the names of the files that differ when checking, or when a model cannot be read or the program not built.
pub fn run(check: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // The program is made of what is generated first.
    write(&generate(&root)?, check)?;
    write(&[reference(&root)?], check)
}

/// The reference of the command line, as the program tells it.
fn reference(root: &Path) -> anyhow::Result<(PathBuf, String)> {
    let output = crate::process::cargo()
        .args(["run", "--quiet", "--package", "longshore-cli", "--", "man", "--markdown"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    ensure!(output.status.success(), "the program does not tell its reference");
    Ok((root.join("docs/cli.md"), String::from_utf8(output.stdout)?))
}

fn write(files: &[(PathBuf, String)], check: bool) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (path, text) in files {
        let old = std::fs::read_to_string(path).unwrap_or_default();
        if old == *text {
            continue;
        }
        if check {
            stale.push(path.display().to_string());
        } else {
            std::fs::write(path, text)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
    }
    if !stale.is_empty() {
        bail!(
            "generated files differ from what they are made of, run `cargo xtask gen`: {}",
            stale.join(", ")
        );
    }
    Ok(())
}

/// The path and the formatted text of every generated file.
fn generate(root: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let wire = root.join("crates/wire");
    let codedeploy = Model::read(&wire.join("models/codedeploy.json"))?;
    let mut commands = Model::read(&wire.join("models/commands.json"))?;
    commands.extend(&wire.join("models/commands-extension.json"))?;
    let own = wire.join("models/longshore.json");
    let longshore = Model::read(&own)?;
    let mut errors = common_errors(&wire.join("models/common-errors.json"))?;
    errors.extend(codedeploy.errors());
    errors.extend(commands.errors());
    errors.extend(longshore.errors());
    errors.sort();
    errors.dedup();
    let src = wire.join("src");
    Ok(vec![
        (src.join("codedeploy/generated.rs"), format(root, &code::service(&codedeploy)?)?),
        (src.join("commands/generated.rs"), format(root, &code::service(&commands)?)?),
        (src.join("longshore/generated.rs"), format(root, &code::service(&longshore)?)?),
        (src.join("longshore/service-2.json"), botocore::service(&model::read_json(&own)?)?),
        (src.join("error/generated.rs"), format(root, &code::errors(&errors))?),
    ])
}

/// Errors that no service model names because every JSON service has them.
fn common_errors(path: &Path) -> anyhow::Result<Vec<(String, u16)>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text)?;
    all.into_iter()
        .map(|(name, status)| {
            let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
            Ok((name, status.context("a status is not a number")?))
        })
        .collect()
}

fn format(root: &Path, code: &str) -> anyhow::Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt cannot be started")?;
    let mut input = rustfmt.stdin.take().context("rustfmt has no input")?;
    // rustfmt reads everything before it writes, so this cannot block on a full pipe.
    input.write_all(code.as_bytes())?;
    drop(input);
    let output = rustfmt.wait_with_output()?;
    ensure!(output.status.success(), "rustfmt refused the generated code");
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_code_is_what_the_models_say() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = super::generate(&root).expect("the models can be read");
        super::write(&files, true).expect("generated code is current");
    }
}
