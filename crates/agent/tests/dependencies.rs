//! The agent runs as root on every host: what it is built from stays its own, and small.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

/// What the agent must not be built from: databases, server frameworks, AWS's SDK, the control plane's own crates.
const FORBIDDEN: [&str; 16] = [
    "rusqlite",
    "tokio-postgres",
    "deadpool-postgres",
    "axum",
    "tower",
    "s3s",
    "clap",
    "reqwest",
    "openssl",
    "openssl-sys",
    "aws-sdk-s3",
    "aws-config",
    "aws-sigv4",
    "longshore-store",
    "longshore-server",
    "longshore-rollout",
];

#[test]
fn the_tree_stays_its_own() {
    // What other systems need is not there after a build.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tree = tree(&metadata, "longshore-agent");
    assert!(tree.contains("hyper") && tree.contains("longshore-wire"), "{tree:?}");
    let found: Vec<_> = FORBIDDEN.iter().filter(|name| tree.contains(**name)).collect();
    assert!(found.is_empty(), "the agent is built from {found:?}");
}

/// The names of all that a package is built from, without what only its tests need.
fn tree(metadata: &Value, root: &str) -> BTreeSet<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names: HashMap<String, String> =
        list(&metadata["packages"]).iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let is_normal = |dependency: &Value| {
        list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null())
    };
    let needs: HashMap<String, Vec<String>> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let normal = list(&node["deps"]).into_iter().filter(is_normal);
            (text(&node["id"]), normal.map(|dependency| text(&dependency["pkg"])).collect())
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut next: Vec<&String> =
        names.iter().filter(|(_, name)| *name == root).map(|(id, _)| id).collect();
    while let Some(id) = next.pop() {
        if seen.insert(names[id].clone()) {
            next.extend(&needs[id]);
        }
    }
    seen
}
