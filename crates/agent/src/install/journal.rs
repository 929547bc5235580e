//! The journal of a switch: what it will do, written down before, and how far it came.

use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use model::appspec::SecurityContext;

use super::InstallError;
use super::hands::{Attributes, Hands};
use super::ledger::{escaped, rule_of, rule_words, unescaped};

/// One change of a switch. Each can be taken back by looking at the disk, whether or not it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// What is at `path` moves to `backup`: it leaves, or gives way to something of another kind.
    Away { path: PathBuf, backup: PathBuf },
    /// The staged file takes the place of another, in one step.
    Replace { staged: PathBuf, path: PathBuf, backup: PathBuf },
    /// The staged file, or directory with all in it, gets a name that nobody has.
    Place { staged: PathBuf, path: PathBuf, tree: bool },
    /// A directory that stays becomes as if made anew.
    Refresh { staged: PathBuf, path: PathBuf, before: Attributes },
    /// A directory of the previous revision goes, in the end, if nothing is left in it.
    Leave { path: PathBuf },
    /// A rule for the SELinux context of a path is added, in the place of the previous revision's if that is known.
    AddRule { path: PathBuf, before: Option<SecurityContext> },
    /// Such a rule of the previous revision goes, in the end.
    DropRule { path: PathBuf },
}

/// How far a switch came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing but staging directories was made.
    Staging,
    /// Some of the changes may have been made.
    Switching,
    /// All changes were made and are on disk: the new set is there.
    Committed,
    /// All changes were taken back: the old set is there.
    Undone,
}

impl Phase {
    pub(super) fn line(self) -> &'static str {
        match self {
            Self::Staging => "staging\n",
            Self::Switching => "switching\n",
            Self::Committed => "committed\n",
            Self::Undone => "undone\n",
        }
    }
}

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Journal {
    /// The directory of the deployment that installs.
    pub deployment: Utf8PathBuf,
    /// Directories, each beside what it stages for, that hold new files before the switch and old ones after it.
    pub stages: Vec<PathBuf>,
    /// In the order in which they are made.
    pub changes: Vec<Change>,
    pub phase: Phase,
}

impl Journal {
    pub(super) fn text(&self) -> String {
        let mut text = format!("deployment {}\n", escaped(self.deployment.as_std_path()));
        for stage in &self.stages {
            text.push_str(&format!("stage {}\n", escaped(stage)));
        }
        for change in &self.changes {
            text.push_str(&line(change));
        }
        text.push_str(self.phase.line());
        text
    }

    /// The journal in a file, if there is one.
    pub(super) fn read(path: &Utf8Path, hands: &Hands) -> Result<Option<Self>, InstallError> {
        let text = hands.read(path.as_std_path()).map_err(InstallError::host("read", path))?;
        let Some(text) = text else { return Ok(None) };
        let text = String::from_utf8(text).map_err(|_| InstallError::Journal {
            path: path.into(),
            line: "it is no text".to_owned(),
        })?;
        let mut journal = Self {
            deployment: Utf8PathBuf::new(),
            stages: Vec::new(),
            changes: Vec::new(),
            phase: Phase::Staging,
        };
        // A line without an end was being written when the host died: what it announces was not begun.
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let damaged = || InstallError::Journal { path: path.into(), line: line.to_owned() };
            journal.take(line).ok_or_else(damaged)?;
        }
        Ok(Some(journal))
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split(' ').collect();
        let path = |word: &str| unescaped(word);
        match words[..] {
            ["deployment", directory] => {
                self.deployment = Utf8PathBuf::from_path_buf(path(directory)).ok()?;
            }
            ["stage", stage] => self.stages.push(path(stage)),
            ["staging"] => self.phase = Phase::Staging,
            ["switching"] => self.phase = Phase::Switching,
            ["committed"] => self.phase = Phase::Committed,
            ["undone"] => self.phase = Phase::Undone,
            ["away", from, backup] => {
                self.changes.push(Change::Away { path: path(from), backup: path(backup) });
            }
            ["replace", staged, to, backup] => self.changes.push(Change::Replace {
                staged: path(staged),
                path: path(to),
                backup: path(backup),
            }),
            ["place", staged, to, kind] => self.changes.push(Change::Place {
                staged: path(staged),
                path: path(to),
                tree: kind == "tree",
            }),
            ["refresh", staged, to, mode, uid, gid, access, default, ref label @ ..] => {
                // Earlier agents wrote no label down.
                let label = match label {
                    [] => None,
                    [label] => from_hex(label)?,
                    _ => return None,
                };
                let before = Attributes {
                    label,
                    mode: mode.parse().ok()?,
                    uid: uid.parse().ok()?,
                    gid: gid.parse().ok()?,
                    access: from_hex(access)?,
                    default: from_hex(default)?,
                };
                self.changes.push(Change::Refresh { staged: path(staged), path: path(to), before });
            }
            ["add-rule", to, ref before @ ..] => {
                let before = if before.is_empty() { None } else { Some(rule_of(before)?) };
                self.changes.push(Change::AddRule { path: path(to), before });
            }
            ["drop-rule", to] => self.changes.push(Change::DropRule { path: path(to) }),
            ["leave", directory] => self.changes.push(Change::Leave { path: path(directory) }),
            _ => return None,
        }
        Some(())
    }
}

/// The line of a change.
pub(super) fn line(change: &Change) -> String {
    let word = |path: &Path| escaped(path);
    match change {
        Change::Away { path, backup } => format!("away {} {}\n", word(path), word(backup)),
        Change::Replace { staged, path, backup } => {
            format!("replace {} {} {}\n", word(staged), word(path), word(backup))
        }
        Change::Place { staged, path, tree } => {
            let kind = if *tree { "tree" } else { "file" };
            format!("place {} {} {kind}\n", word(staged), word(path))
        }
        Change::Refresh { staged, path, before } => {
            let Attributes { mode, uid, gid, access, default, label } = before;
            let [access, default, label] =
                [access, default, label].map(|bytes| hex(bytes.as_deref()));
            format!(
                "refresh {} {} {mode} {uid} {gid} {access} {default} {label}\n",
                word(staged),
                word(path)
            )
        }
        Change::Leave { path } => format!("leave {}\n", word(path)),
        Change::AddRule { path, before: None } => format!("add-rule {}\n", word(path)),
        Change::AddRule { path, before: Some(before) } => {
            format!("add-rule {} {}\n", word(path), rule_words(before))
        }
        Change::DropRule { path } => format!("drop-rule {}\n", word(path)),
    }
}

fn hex(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "none".to_owned() };
    std::iter::once("x".to_owned()).chain(bytes.iter().map(|byte| format!("{byte:02x}"))).collect()
}

#[expect(clippy::option_option, reason = "outside: not understood; inside: no list")]
fn from_hex(word: &str) -> Option<Option<Vec<u8>>> {
    if word == "none" {
        return Some(None);
    }
    let digits = word.strip_prefix('x')?.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>().map(Some)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_journal_is_read_as_it_was_written_and_a_line_cut_off_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("g.switch")).unwrap();
        let at = PathBuf::from;
        let before = Attributes {
            mode: 0o755,
            uid: 1,
            gid: 2,
            access: Some(vec![2, 255]),
            default: None,
            label: Some(b"x".to_vec()),
        };
        let context =
            SecurityContext { user: None, kind: "etc_t".into(), range: Some("s0".into()) };
        let journal = Journal {
            deployment: "/root/g/d 1".into(),
            stages: vec![at("/a b/.stage")],
            changes: vec![
                Change::Away { path: at("/a b/old"), backup: at("/a b/.stage/1") },
                Change::Replace { staged: at("/s"), path: at("/p"), backup: at("/b") },
                Change::Place { staged: at("/s"), path: at("/p"), tree: true },
                Change::Refresh { staged: at("/s"), path: at("/d"), before },
                Change::Leave { path: at("/l") },
                Change::AddRule { path: at("/a b/r"), before: None },
                Change::AddRule { path: at("/r"), before: Some(context) },
                Change::DropRule { path: at("/q") },
            ],
            phase: Phase::Switching,
        };
        let hands = Hands::default();
        fs::write(&path, format!("{}commit", journal.text())).unwrap();
        assert_eq!(Journal::read(&path, &hands).unwrap().as_ref(), Some(&journal));
        // What is added to it is a line of its own.
        hands.append(path.as_std_path(), b"undone\n").unwrap();
        let undone = Journal { phase: Phase::Undone, ..journal };
        assert_eq!(Journal::read(&path, &hands).unwrap(), Some(undone));
        for damaged in [&b"nonsense\n"[..], b"stage \xff\n"] {
            fs::write(&path, damaged).unwrap();
            assert!(matches!(Journal::read(&path, &hands), Err(InstallError::Journal { .. })));
        }
    }
}
