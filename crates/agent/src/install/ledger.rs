//! What was installed for a deployment group.
//!
//! The list is the official agent's `…-cleanup` file, a path a line, so that either agent can take away the other's install.
//! Beside it lies a record of our own: size and time of each file as it was installed, which tells what was changed since.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use model::appspec::SecurityContext;

use super::InstallError;
use super::disk::not_there;

/// Marks a line that is about an SELinux rule.
const CONTEXT: &[u8] = b"semanage\0";

/// The files that say what is installed for a deployment group, and how far a switch from one revision to the next is.
#[derive(Debug, Clone)]
pub struct LedgerFiles {
    /// The official list.
    pub cleanup: Utf8PathBuf,
    pub(super) record: Utf8PathBuf,
    pub(super) next_cleanup: Utf8PathBuf,
    pub(super) next_record: Utf8PathBuf,
    /// The next of one of these, until it is whole.
    pub(super) draft: Utf8PathBuf,
    /// There only while a switch is under way, or was cut short.
    pub(super) journal: Utf8PathBuf,
}

/// What the journals' names end with.
const JOURNAL: &str = ".switch";

impl LedgerFiles {
    /// The files of a group: the official list, and our own in `directory`.
    pub fn new(cleanup: Utf8PathBuf, directory: &Utf8Path, group: &str) -> Self {
        let own = |end: &str| directory.join(format!("{group}{end}"));
        Self {
            cleanup,
            record: own(".installed"),
            next_cleanup: own(".next-cleanup"),
            next_record: own(".next-installed"),
            draft: own(".draft"),
            journal: own(JOURNAL),
        }
    }

    /// The groups whose switch was cut short.
    pub fn interrupted(directory: &Utf8Path) -> Vec<String> {
        let Ok(entries) = directory.read_dir_utf8() else { return Vec::new() };
        let names = entries.flatten();
        names
            .filter_map(|entry| entry.file_name().strip_suffix(JOURNAL).map(str::to_owned))
            .collect()
    }
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// Something was made here.
    Made(PathBuf),
    /// A rule for an SELinux context was added for this path.
    Context(PathBuf),
}

/// What the previous install left.
#[derive(Debug, Default)]
pub struct Previous {
    pub(super) entries: Vec<Entry>,
    pub(super) paths: HashSet<PathBuf>,
    pub(super) changed: HashSet<PathBuf>,
    /// The rules for SELinux contexts, as far as they are known.
    pub(super) rules: HashMap<PathBuf, SecurityContext>,
}

impl Previous {
    /// Reads what is installed, and looks at what became of it.
    ///
    /// # Errors
    /// The list is there and cannot be read.
    pub fn read(files: &LedgerFiles) -> Result<Self, InstallError> {
        let text = match fs::read(&files.cleanup) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(InstallError::host("read", &files.cleanup)(error)),
        };
        let mut entries: Vec<Entry> = lines(&text).map(Entry::parse).collect();
        let record = match fs::read(&files.record) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(InstallError::host("read", &files.record)(error));
            }
            found => found.unwrap_or_default(),
        };
        let record = recorded(&record, &text);
        let unlisted = record.iter().filter(|recorded| is_unlisted(&recorded.path));
        entries.extend(unlisted.map(Recorded::entry));
        let rules =
            record.iter().filter_map(|recorded| Some((recorded.path.clone(), recorded.rule()?)));
        let rules = rules.collect();
        let paths: HashSet<PathBuf> = entries.iter().filter_map(Entry::made).cloned().collect();
        let mut changed = HashSet::new();
        for recorded in record.into_iter().filter(|recorded| paths.contains(&recorded.path)) {
            let is_changed = recorded.is_changed();
            if is_changed.map_err(InstallError::host("look at", &recorded.path))? {
                changed.insert(recorded.path);
            }
        }
        Ok(Self { entries, paths, changed, rules })
    }
}

impl Entry {
    fn parse(line: &[u8]) -> Self {
        let path = |bytes| PathBuf::from(OsStr::from_bytes(bytes));
        match line.strip_prefix(CONTEXT) {
            Some(rest) => Self::Context(path(rest)),
            None => Self::Made(path(line)),
        }
    }

    pub(super) fn made(&self) -> Option<&PathBuf> {
        match self {
            Self::Made(path) => Some(path),
            Self::Context(_) => None,
        }
    }
}

/// Whether a path cannot be in the list: with a line end in it, it would read as two, the second of which could be anybody's.
/// Such paths are in the record only.
fn is_unlisted(path: &Path) -> bool {
    path.as_os_str().as_bytes().contains(&b'\n')
}

/// The text of a list: what was made, and for which paths there is a rule.
pub(super) fn text<'a>(
    made: impl Iterator<Item = &'a Path>,
    rules: &[(PathBuf, &SecurityContext)],
) -> Vec<u8> {
    let mut text = Vec::new();
    let contexts = rules.iter().map(|(path, _)| (CONTEXT, path.as_path()));
    for (prefix, path) in made.map(|path| (&b""[..], path)).chain(contexts) {
        if !is_unlisted(path) {
            for part in [prefix, path.as_os_str().as_bytes(), b"\n"] {
                text.extend_from_slice(part);
            }
        }
    }
    text
}

/// Whole lines only: one without an end was being written when the official agent was killed. Relative paths are none of ours.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n"))
        .map(<[u8]>::trim_ascii)
        .filter(|line| line.starts_with(b"/") || line.starts_with(CONTEXT))
}

/// The paths of a list's text that were made.
pub(super) fn made(text: &[u8]) -> Vec<PathBuf> {
    lines(text).map(Entry::parse).filter_map(|entry| entry.made().cloned()).collect()
}

/// Kind, size and time of a file, by which a change is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    kind: &'static str,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    /// That of a path itself, not of where it leads.
    pub fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|metadata| Self::of(&metadata))
    }

    pub fn of(metadata: &fs::Metadata) -> Self {
        let kind = match metadata.file_type() {
            kind if kind.is_file() => "file",
            kind if kind.is_symlink() => "link",
            kind if kind.is_dir() => "directory",
            _ => "other",
        };
        let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
        Self { kind, size: metadata.size(), seconds, nanoseconds }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, size, seconds, nanoseconds } = self;
        write!(f, "{kind} {size} {seconds}.{nanoseconds:09}")
    }
}

/// The record of files and of rules; it belongs to this text of the list only.
pub(super) fn record<'a>(
    list: &[u8],
    files: impl Iterator<Item = io::Result<(&'a Path, Stamp)>>,
    rules: &[(PathBuf, &SecurityContext)],
) -> io::Result<Vec<u8>> {
    let mut text = format!("{}\n", fingerprint(list));
    for file in files {
        let (path, stamp) = file?;
        if stamp.kind == "directory" && !is_unlisted(path) {
            continue;
        }
        text.push_str(&format!("{stamp} {}\n", escaped(path)));
    }
    for (path, context) in rules {
        text.push_str(&format!("{RULE}{} {}\n", rule_words(context), escaped(path)));
    }
    Ok(text.into_bytes())
}

/// What a line of the record begins with that is about a rule.
const RULE: &str = "rule ";

/// A rule's context as three words.
pub(super) fn rule_words(context: &SecurityContext) -> String {
    let word = |text: &str| escaped(Path::new(text));
    let maybe = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), word);
    let SecurityContext { user, kind, range } = context;
    format!("{} {} {}", maybe(user), word(kind), maybe(range))
}

/// The context of such words.
pub(super) fn rule_of(words: &[&str]) -> Option<SecurityContext> {
    let [user, kind, range] = words else { return None };
    let text = |word: &str| unescaped(word).into_os_string().into_string().ok();
    let maybe = |word: &str| if word == "-" { Some(None) } else { text(word).map(Some) };
    Some(SecurityContext { user: maybe(user)?, kind: text(kind)?, range: maybe(range)? })
}

/// A line of the record.
struct Recorded {
    stamp: String,
    path: PathBuf,
}

impl Recorded {
    /// The rule that the line is about, if it is about one.
    fn rule(&self) -> Option<SecurityContext> {
        let words: Vec<&str> = self.stamp.strip_prefix(RULE)?.split(' ').collect();
        rule_of(&words)
    }

    fn entry(&self) -> Entry {
        let path = self.path.clone();
        if self.stamp.starts_with(RULE) { Entry::Context(path) } else { Entry::Made(path) }
    }

    /// Whether the file is there and not as it was installed. A directory's time says nothing.
    fn is_changed(&self) -> io::Result<bool> {
        if self.stamp.starts_with("directory") || self.stamp.starts_with(RULE) {
            return Ok(false);
        }
        Stamp::at(&self.path).map_or_else(not_there, |now| Ok(now.to_string() != self.stamp))
    }
}

/// What a record says. Without one that belongs to the list (the official agent made it) nothing is known.
fn recorded(record: &[u8], list: &[u8]) -> Vec<Recorded> {
    let text = String::from_utf8_lossy(record);
    let mut lines = text.lines();
    if lines.next() != Some(&fingerprint(list)) {
        return Vec::new();
    }
    let entries = lines.filter_map(|line| line.rsplit_once(' '));
    entries
        .map(|(stamp, path)| Recorded { stamp: stamp.to_owned(), path: unescaped(path) })
        .collect()
}

/// Tells one list from another: FNV-1a of its text. Nobody gains by forging it.
fn fingerprint(text: &[u8]) -> String {
    format!("{:016x}", fnv(text))
}

pub(super) fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// A path as one word of printable ASCII.
pub(super) fn escaped(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%';
    let bytes = path.as_os_str().as_bytes();
    let one = |byte: &u8| {
        if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
    };
    bytes.iter().map(one).collect()
}

/// The path of such a word.
pub(super) fn unescaped(word: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let code = rest.strip_prefix('%').and_then(|rest| rest.get(..2));
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &rest[3..];
        } else {
            bytes.extend(first.to_string().as_bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_off_is_ignored_and_a_line_end_in_a_path_names_nobody_else_s_file() {
        assert_eq!(made(b"/a\nrelative\nsemanage\0/c\n/etc/pass"), [Path::new("/a")]);
        let made = ["/a/x\n/etc/passwd", "/b"].map(Path::new);
        let context = SecurityContext { user: None, kind: "t".into(), range: None };
        let list = text(made.into_iter(), &[("/c".into(), &context)]);
        assert_eq!(list, b"/b\nsemanage\0/c\n");
    }

    #[test]
    fn any_path_is_one_word() {
        let path = PathBuf::from(OsStr::from_bytes(b"/a b/%41\n\xff\xc3\xbc"));
        let word = escaped(&path);
        assert!(word.bytes().all(|byte| byte.is_ascii_graphic()), "{word}");
        assert_eq!(unescaped(&word), path);
    }

    #[test]
    fn rules_are_remembered_with_their_contexts() {
        let context = SecurityContext {
            user: Some("system_u".into()),
            kind: "etc t".into(),
            range: Some("s0-s1:c0.c3".into()),
        };
        let bare = SecurityContext { user: None, range: None, ..context.clone() };
        let rules = [("/a b".into(), &context), ("/c\nd".into(), &bare)];
        let record = record(b"/list\n", std::iter::empty(), &rules).unwrap();
        let found = recorded(&record, b"/list\n");
        assert!(found.iter().all(|line| !line.is_changed().unwrap()));
        let read: Vec<_> = found.iter().map(|line| (line.path.clone(), line.rule())).collect();
        assert_eq!(read, rules.map(|(path, context)| (path, Some(context.clone()))));
    }

    #[test]
    fn a_path_that_no_file_can_have_is_not_changed() {
        let too_long = format!("/{}", "n".repeat(300));
        for path in [too_long.as_str(), "/zero\0byte", "/etc/passwd/below"] {
            let recorded = Recorded { stamp: "file 1 1.000000000".into(), path: path.into() };
            assert!(!recorded.is_changed().unwrap(), "{path:?}");
        }
    }

    #[test]
    fn a_record_belongs_to_its_own_list() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a b");
        fs::write(&file, "one").unwrap();
        let stamped = Stamp::at(&file).map(|stamp| (file.as_path(), stamp));
        let record = record(b"/list\n", [stamped].into_iter(), &[]).unwrap();
        let changed = |list: &[u8]| {
            recorded(&record, list).iter().filter(|r| r.is_changed().unwrap()).count()
        };
        assert_eq!(changed(b"/list\n"), 0);
        fs::write(&file, "other").unwrap();
        assert_eq!(changed(b"/list\n"), 1);
        assert_eq!(changed(b"/another\n"), 0);
    }
}
