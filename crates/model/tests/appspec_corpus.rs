//! AppSpec files that people committed, each with what the official agent's parser made of it.

use std::fs;
use std::path::Path;

use longshore_model::appspec::{AppSpec, ObjectType, Permission};
use serde_json::{Value, json};

#[test]
fn we_accept_and_refuse_what_the_official_agent_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/appspec");
    let expected = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_str(&expected).unwrap();
    assert_eq!(expected.len(), 50);
    let mut wrong = Vec::new();
    for case in &expected {
        let name = case["file"].as_str().unwrap();
        let text = fs::read(folder.join(name)).unwrap();
        assert_eq!(text.len() as u64, case["bytes"].as_u64().unwrap(), "{name} was changed");
        if let Err(difference) = agrees(case, AppSpec::parse(&text)) {
            wrong.push(format!("{name}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn agrees(
    case: &Value,
    ours: Result<AppSpec, longshore_model::appspec::AppSpecError>,
) -> Result<(), String> {
    match (case["accepted"].as_bool().unwrap(), ours) {
        (true, Ok(spec)) => same(&case["spec"], &as_json(&spec)),
        (true, Err(error)) => Err(format!("refused: {error}")),
        (false, Ok(_)) => Err("accepted".to_owned()),
        // A crash of the reference is an error of ours, in words of our own.
        (false, Err(_)) if case["error"]["kind"] == "crash" => Ok(()),
        (false, Err(error)) => same(&case["error"]["message"], &json!(error.to_string())),
    }
}

fn same(theirs: &Value, ours: &Value) -> Result<(), String> {
    if theirs == ours { Ok(()) } else { Err(format!("\n  theirs {theirs}\n  ours   {ours}")) }
}

fn as_json(spec: &AppSpec) -> Value {
    let files: Vec<_> = spec
        .files
        .iter()
        .map(|f| json!({"source": f.source, "destination": f.destination}))
        .collect();
    let hooks: serde_json::Map<String, Value> = spec
        .hooks
        .iter()
        .map(|(event, hooks)| {
            let hooks = hooks.iter().map(|hook| {
                let sudo = if hook.sudo { json!(true) } else { Value::Null };
                let timeout = hook.timeout.as_secs();
                json!({"location": hook.location, "runas": hook.runas, "sudo": sudo, "timeout": timeout})
            });
            (event.to_owned(), hooks.collect())
        })
        .collect();
    json!({
        "version": 0.0,
        "os": "linux",
        "file_exists_behavior": spec.file_exists_behavior.map(|b| b.name()),
        "files": files,
        "permissions": spec.permissions.iter().map(permission).collect::<Vec<_>>(),
        "hooks": hooks,
    })
}

fn permission(item: &Permission) -> Value {
    let types: Vec<_> = item
        .types
        .iter()
        .map(|kind| match kind {
            ObjectType::File => "file",
            ObjectType::Directory => "directory",
        })
        .collect();
    let acls: Vec<_> = item.acls.iter().map(ToString::to_string).collect();
    json!({
        "object": item.object, "pattern": item.pattern, "except": item.except, "type": types,
        "owner": item.owner, "group": item.group, "mode": item.mode.as_ref().map(|mode| mode.as_str()),
        "acls": if acls.is_empty() { Value::Null } else { json!(acls) },
        "context": item.context.as_ref().map(|c| json!({"user": c.user, "type": c.kind, "range": c.range})),
    })
}
