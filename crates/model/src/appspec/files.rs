//! The `files` section.

use super::error::{AppSpecError, Problem};
use super::yaml::{Node, Value};

/// One item of `files`: copy `source` of the revision into the directory `destination` of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMapping {
    /// Path in the revision, as written; a leading `/` means the revision's root.
    pub source: String,
    /// Directory on the host, as written.
    pub destination: String,
}

pub(super) fn parse(node: Option<&Node>) -> Result<Vec<FileMapping>, AppSpecError> {
    Node::items(node, "files")?.iter().map(mapping).collect()
}

fn mapping(node: &Node) -> Result<FileMapping, AppSpecError> {
    let Value::Mapping(_) = node.value else {
        return Err(Problem::shape("an item of files", "a mapping", node).at(node.at));
    };
    let source = path(node, "source")?.ok_or_else(|| Problem::NoSource.at(node.at))?;
    let destination = path(node, "destination")?
        .ok_or_else(|| Problem::NoDestination { source_path: source.clone() }.at(node.at))?;
    Ok(FileMapping { source, destination })
}

fn path(node: &Node, key: &str) -> Result<Option<String>, AppSpecError> {
    match node.get(key) {
        None | Some(Node { value: Value::Null, .. }) => Ok(None),
        Some(Node { value: Value::Text(text), .. }) => Ok(Some(text.clone())),
        Some(other) => {
            Err(Problem::shape(format!("the {key} of a file"), "a text", other).at(other.at))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::appspec::AppSpec;

    fn fault(files: &str) -> String {
        let text = format!("version: 0.0\nos: linux\nfiles: {files}\n");
        AppSpec::parse(text.as_bytes())
            .map(|spec| spec.files.len().to_string())
            .unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn an_item_has_a_source_and_a_destination() {
        assert!(fault("[{destination: /x}]").contains("no source file"));
        assert!(fault("[{source: a/b}]").contains("only a source file (a/b)"));
        assert_eq!(fault("[{source: a, destination: /x, other: 1}]"), "1");
        assert_eq!(fault("~"), "0");
        assert_eq!(fault("a.txt"), "files must be a list, and is \"a.txt\"");
        assert!(fault("[{source: 1, destination: /x}]").contains("must be a text"));
    }
}
