//! AppSpec files: what a revision says about its files, permissions and hooks.
//!
//! Owns the reading of the text (YAML as the official agent's reader takes it) and every check that needs nothing but the
//! text. What needs a disk (does the source exist, who owns the target) is the agent's business.
//!
//! Source of the rules: CodeDeploy user guide, "AppSpec file reference"; where the guide and the official agent
//! differ, the agent, because revisions in use were tried on it.

mod acl;
mod context;
mod error;
mod files;
mod hooks;
mod mode;
mod permissions;
mod scalar;
pub mod yaml;

pub use acl::{AclEntry, AclTag};
pub use context::SecurityContext;
pub use error::{AppSpecError, Problem};
pub use files::FileMapping;
pub use hooks::{Hook, HookTable};
pub use mode::Mode;
pub use permissions::{ObjectType, Permission};
pub use yaml::Position;

use yaml::{Node, Value};

/// The names that an AppSpec may have where none was given, in the order in which they are looked for.
/// Source: CodeDeploy user guide, "AppSpec file reference".
pub const DEFAULT_NAMES: [&str; 2] = ["appspec.yml", "appspec.yaml"];

/// What to do with a file that is already at a place where the revision puts one.
/// Source: CodeDeploy API reference, `fileExistsBehavior`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileExistsBehavior {
    /// The deployment fails.
    #[default]
    Disallow,
    /// The revision's file takes its place.
    Overwrite,
    /// The file stays, and the revision's is left out.
    Retain,
}

impl FileExistsBehavior {
    /// The name in an AppSpec and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disallow => "DISALLOW",
            Self::Overwrite => "OVERWRITE",
            Self::Retain => "RETAIN",
        }
    }

    /// The behaviour of exactly this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Disallow, Self::Overwrite, Self::Retain].into_iter().find(|b| b.name() == name)
    }
}

/// A parsed and checked AppSpec file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppSpec {
    /// What to copy where, in file order.
    pub files: Vec<FileMapping>,
    /// Modes, owners and access lists for what was copied, in file order.
    pub permissions: Vec<Permission>,
    /// Scripts by lifecycle event.
    pub hooks: HookTable,
    /// The behaviour that the file itself asks for; it beats the deployment's.
    pub file_exists_behavior: Option<FileExistsBehavior>,
    /// What is valid but probably not meant.
    pub warnings: Vec<Warning>,
}

/// Something valid that probably says other than its author meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub at: Position,
    /// What, as a sentence.
    pub text: String,
}

impl AppSpec {
    /// Reads an AppSpec for a Linux host.
    ///
    /// # Errors
    /// The first fault in the order version, os, hooks, files, permissions, `file_exists_behavior`: the order of the
    /// official agent, so that a file with several faults gets the same message.
    pub fn parse(text: &[u8]) -> Result<Self, AppSpecError> {
        let root = yaml::parse(text)?;
        if matches!(root.value, Value::Null | Value::Bool(false)) {
            return Err(Problem::Empty.at(root.at));
        }
        let Value::Mapping(_) = root.value else {
            return Err(Problem::shape("the AppSpec file", "a mapping", &root).at(root.at));
        };
        check_version(&root)?;
        check_os(&root)?;
        let mut warnings = Vec::new();
        Ok(Self {
            hooks: hooks::parse(root.get("hooks"))?,
            files: files::parse(root.get("files"))?,
            permissions: permissions::parse(root.get("permissions"), &mut warnings)?,
            file_exists_behavior: file_exists_behavior(root.get("file_exists_behavior"))?,
            warnings,
        })
    }
}

fn check_version(root: &Node) -> Result<(), AppSpecError> {
    let zero = match root.get("version").map(|node| &node.value) {
        Some(Value::Integer(number)) => *number == 0,
        Some(Value::Float(number)) => *number == 0.0,
        _ => false,
    };
    if zero {
        return Ok(());
    }
    let found = root.get("version");
    Err(Problem::Version { found: found.map(Node::text).unwrap_or_default() }
        .at(found.unwrap_or(root).at))
}

fn check_os(root: &Node) -> Result<(), AppSpecError> {
    let found = root.get("os");
    match found.map(|node| &node.value) {
        Some(Value::Text(os)) if os == "linux" => Ok(()),
        _ => Err(Problem::OperatingSystem { found: found.map(Node::text).unwrap_or_default() }
            .at(found.unwrap_or(root).at)),
    }
}

fn file_exists_behavior(node: Option<&Node>) -> Result<Option<FileExistsBehavior>, AppSpecError> {
    let Some(node) = yaml::present(node) else { return Ok(None) };
    let behavior = match &node.value {
        Value::Text(name) => FileExistsBehavior::from_name(name),
        _ => None,
    };
    behavior.map(Some).ok_or_else(|| Problem::FileExistsBehavior { found: node.text() }.at(node.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        AppSpec::parse(text.as_bytes()).unwrap_err().problem.to_string()
    }

    #[test]
    fn an_empty_document_says_what_is_needed() {
        for text in ["", "---\n", "false\n", "# only a comment\n", "~\n"] {
            assert!(fault(text).contains("was empty"), "{text:?}");
        }
    }

    #[test]
    fn version_is_the_number_zero() {
        for version in ["0", "0.0", "0.00", "-0.0"] {
            let text = format!("version: {version}\nos: linux\n");
            assert!(AppSpec::parse(text.as_bytes()).is_ok(), "{version}");
        }
        assert!(fault("version: 0.1\nos: linux\n").contains("invalid version value (0.1)"));
        assert!(fault("version: \"0.0\"\nos: linux\n").contains("invalid version value (0.0)"));
        assert!(fault("os: linux\n").contains("invalid version value ()"));
    }

    #[test]
    fn os_is_linux_to_the_letter() {
        for os in ["windows", "Linux", "[linux]"] {
            let text = format!("version: 0.0\nos: {os}\n");
            assert!(fault(&text).contains("unsupported operating system"), "{os}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_crlf_change_nothing() {
        let text = "\u{feff}version: 0.0\r\nos: linux\r\nfiles:\r\n  - source: a\r\n    destination: /b\r\n";
        let spec = AppSpec::parse(text.as_bytes()).unwrap();
        assert_eq!(spec.files[0].destination, "/b");
    }

    #[test]
    fn the_behaviour_is_one_of_three_names() {
        let spec = |b: &str| {
            AppSpec::parse(format!("version: 0\nos: linux\nfile_exists_behavior: {b}\n").as_bytes())
        };
        assert_eq!(spec("RETAIN").unwrap().file_exists_behavior, Some(FileExistsBehavior::Retain));
        assert_eq!(spec("~").unwrap().file_exists_behavior, None);
        assert!(
            spec("retain").unwrap_err().to_string().contains("file_exists_behavior value (retain)")
        );
    }

    #[test]
    fn a_fault_knows_its_line() {
        let error =
            AppSpec::parse(b"version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - timeout: 3\n")
                .unwrap_err();
        assert_eq!((error.at.line, error.at.column), (5, 7));
    }
}
