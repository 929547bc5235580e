//! What a program is built from besides our own code, and under which licenses: their texts go with it, as they ask.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use crate::process::{cargo, output};

/// What files begin with that say under which conditions others may have them.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
/// The license whose text is on every Debian, and that is chosen where there is a choice.
const COMMON: &str = "Apache-2.0";

/// A list of the crates that a package's programs are built from, and the texts of their licenses.
pub fn of(packages: &[&str], platform: &str) -> anyhow::Result<String> {
    let mut metadata = cargo();
    metadata.args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--offline",
        "--filter-platform",
        platform,
    ]);
    let metadata: Value = serde_json::from_str(&output(&mut metadata)?)?;
    let crates = linked(&metadata, packages)?;
    let mut text = String::from(
        "What is in the programs of this package besides longshore's own code.\n\n\
         The standard library of Rust: MIT OR Apache-2.0.\n\
         The GNU C Library, in programs that are linked statically: LGPL-2.1-or-later,\n\
         see /usr/share/common-licenses/LGPL-2.1.\n\n\
         Of the crates that offer it, the license Apache-2.0 is chosen, see\n\
         /usr/share/common-licenses/Apache-2.0. Texts of others and notices follow the list.\n\n",
    );
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, one) in &crates {
        let license = one["license"].as_str().unwrap_or("see its text below");
        text.push_str(&format!("{name}: {license}\n"));
        let manifest = Path::new(one["manifest_path"].as_str().context("a crate has a manifest")?);
        let folder = manifest.parent().context("a manifest lies in a folder")?;
        let names: &[&str] = if offers_common(license) { &["NOTICE"] } else { &NAMES };
        for found in texts_in(folder, names)? {
            texts.entry(found).or_default().insert(name.clone());
        }
    }
    for (found, names) in texts {
        let names: Vec<String> = names.into_iter().collect();
        text.push_str(&format!(
            "\n{}\n{}:\n\n{}\n",
            "-".repeat(70),
            names.join(", "),
            found.trim_end()
        ));
    }
    Ok(text)
}

/// Whether a license can be had as the one that every Debian has.
fn offers_common(license: &str) -> bool {
    !license.contains(" AND ")
        && !license.contains('(')
        && license.split(" OR ").flat_map(|one| one.split('/')).any(|one| one.trim() == COMMON)
}

/// The texts of a crate's files with such names.
fn texts_in(folder: &Path, names: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if names.iter().any(|start| name.starts_with(start)) && entry.file_type()?.is_file() {
            texts.push(fs::read_to_string(entry.path())?);
        }
    }
    Ok(texts)
}

/// The crates of others that end up in packages' programs, by name and version. Macros run while building and do not.
fn linked<'a>(
    metadata: &'a Value,
    packages: &[&str],
) -> anyhow::Result<BTreeMap<String, &'a Value>> {
    let list = |value: &'a Value| value.as_array().map_or(&[][..], Vec::as_slice);
    let by_id: HashMap<&str, &Value> = list(&metadata["packages"])
        .iter()
        .filter_map(|one| Some((one["id"].as_str()?, one)))
        .collect();
    let nodes: HashMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let is_root = |one: &&&Value| one["name"].as_str().is_some_and(|name| packages.contains(&name));
    let mut next: Vec<&str> =
        by_id.values().filter(is_root).filter_map(|one| one["id"].as_str()).collect();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeMap::new());
    while let Some(id) = next.pop() {
        let one = by_id.get(id).with_context(|| format!("cargo does not tell of {id}"))?;
        let is_macro = list(&one["targets"])
            .iter()
            .any(|target| list(&target["kind"]).iter().any(|kind| kind == "proc-macro"));
        if is_macro || !seen.insert(id) {
            continue;
        }
        if !one["source"].is_null() {
            let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
            found.insert(format!("{} {}", text("name"), text("version")), *one);
        }
        let normal = nodes
            .get(id)
            .into_iter()
            .flat_map(|node| list(&node["deps"]))
            .filter(|it| list(&it["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()));
        next.extend(normal.filter_map(|dependency| dependency["pkg"].as_str()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_told_from_a_sum() {
        for license in
            ["Apache-2.0", "MIT OR Apache-2.0", "MIT/Apache-2.0", "ISC OR Apache-2.0 OR MIT"]
        {
            assert!(offers_common(license), "{license}");
        }
        for license in
            ["MIT", "Apache-2.0 AND ISC", "(MIT OR Apache-2.0) AND Unicode-3.0", "BSD-3-Clause"]
        {
            assert!(!offers_common(license), "{license}");
        }
    }
}
