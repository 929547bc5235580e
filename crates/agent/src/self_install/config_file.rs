//! The configuration file that an installation writes.

/// The file as the official package ships it.
const SHIPPED: &str = include_str!("codedeployagent.yml");

/// The configuration for a control plane: that of the host, if it has one, with the keys that are the control plane's own set.
pub(super) fn with_endpoint(kept: Option<&str>, endpoint: &str, signer: &str) -> String {
    let ours = [
        ("deploy_control_endpoint", format!("'{endpoint}'")),
        ("s3_endpoint_override", format!("'{endpoint}'")),
        ("s3_path_style", "true".to_owned()),
        ("signer_certificate_file", format!("'{signer}'")),
    ];
    let is_ours = |line: &&str| {
        let line = line.trim_start_matches(':');
        ours.iter().any(|(key, _)| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
    };
    let mut text: String = kept
        .unwrap_or(SHIPPED)
        .lines()
        .filter(|line| !is_ours(line))
        .map(|line| format!("{line}\n"))
        .collect();
    for (key, value) in &ours {
        text.push_str(&format!(":{key}: {value}\n"));
    }
    text
}
