//! Secrets in what hooks print. A script that shows its environment, or each command as it runs (`set -x`), shows also the
//! secrets that it was given; they must not end in logs that many may read.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Parts of the names of variables whose values are secrets.
const NAMES: [&str; 7] =
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "APIKEY"];
/// Ends of such names.
const ENDS: [&str; 1] = ["_KEY"];
/// Ends of the names of variables that only say where a secret is.
const PLACES: [&str; 4] = ["_FILE", "_PATH", "_DIR", "_URL"];
/// A shorter value is not masked: it would be found everywhere, and says as much where it is masked as where it is not.
const SHORTEST: usize = 6;
/// What is printed in place of a secret.
const MASK: &[u8] = b"***";

/// Values that are not to be seen in output.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// Longest first, so that of two that begin alike the whole is masked.
    values: Vec<Vec<u8>>,
}

impl Secrets {
    /// The values of those variables whose names say that they are secrets; of one with several lines, each line.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a OsString, &'a OsString)>) -> Self {
        let mut values: Vec<Vec<u8>> = variables
            .into_iter()
            .filter(|(name, _)| is_secret(name))
            .flat_map(|(_, value)| value.as_bytes().split(|byte| *byte == b'\n'))
            .map(|line| line.trim_ascii().to_vec())
            .filter(|line| line.len() >= SHORTEST)
            .collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { values }
    }

    /// The line with each secret masked.
    pub fn mask<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(mut next) = self.next_in(line, 0) else { return Cow::Borrowed(line) };
        let mut masked = Vec::with_capacity(line.len());
        let mut done = 0;
        loop {
            let (begins, ends) = next;
            masked.extend_from_slice(&line[done..begins]);
            masked.extend_from_slice(MASK);
            done = ends;
            match self.next_in(line, done) {
                Some(found) => next = found,
                None => break,
            }
        }
        masked.extend_from_slice(&line[done..]);
        Cow::Owned(masked)
    }

    /// Up to where a line that goes on may be printed already: behind it a secret, or a character, may have begun.
    pub fn printable(&self, line: &[u8]) -> usize {
        let longest = self.values.first().map_or(0, Vec::len);
        let mut cut = line.len().saturating_sub(longest.saturating_sub(1));
        let mut at = 0;
        while let Some((begins, ends)) = self.next_in(line, at) {
            if begins < cut && cut < ends {
                cut = ends;
            }
            at = ends;
        }
        before_character(line, cut)
    }

    /// The first secret at or after a place.
    fn next_in(&self, line: &[u8], from: usize) -> Option<(usize, usize)> {
        let found = self.values.iter().filter_map(|value| {
            let begins = find(&line[from..], value)? + from;
            Some((begins, begins + value.len()))
        });
        found.min_by_key(|(begins, ends)| (*begins, std::cmp::Reverse(*ends)))
    }
}

/// The place, or the begin of the character (if this is UTF-8) that it would cut.
fn before_character(line: &[u8], cut: usize) -> usize {
    for back in 1..=cut.min(3) {
        let length = match line[cut - back] {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if length > back { cut - back } else { cut };
    }
    cut
}

fn find(line: &[u8], value: &[u8]) -> Option<usize> {
    let first = *value.first()?;
    let mut from = 0;
    while from + value.len() <= line.len() {
        from += line[from..].iter().position(|byte| *byte == first)?;
        if line[from..].starts_with(value) {
            return Some(from);
        }
        from += 1;
    }
    None
}

fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    let named =
        NAMES.iter().any(|part| name.contains(part)) || ENDS.iter().any(|end| name.ends_with(end));
    named && !PLACES.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(variables: &[(&str, &str)]) -> Secrets {
        let owned: Vec<(OsString, OsString)> =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Secrets::of(owned.iter().map(|(name, value)| (name, value)))
    }

    #[test]
    fn values_of_variables_that_are_called_secret_are_masked() {
        let secrets = secrets(&[
            ("DB_PASSWORD", "hunter22"),
            ("DEPLOY_TOKEN", "hunter22-and-more"),
            ("github_token", "gh-lower"),
            ("SIGNING_KEY", "line one\nline two\nx\n"),
            ("TOKEN_FILE", "/run/secrets/token"),
            ("SHORT_SECRET", "abc"),
            ("HOME", "/home/app"),
        ]);
        let masked = |line: &str| String::from_utf8(secrets.mask(line.as_bytes()).into()).unwrap();
        assert_eq!(masked("+ login hunter22 hunter22"), "+ login *** ***");
        assert_eq!(masked("hunter22-and-more, gh-lower"), "***, ***");
        assert_eq!(masked("a line one b line two"), "a *** b ***");
        for plain in ["/run/secrets/token", "abc", "/home/app", "hunter2", ""] {
            assert_eq!(masked(plain), plain);
        }
    }

    #[test]
    fn a_line_in_pieces_is_cut_neither_in_a_secret_nor_in_a_character() {
        let secrets = secrets(&[("A_SECRET", "0123456789")]);
        assert_eq!(secrets.printable(b"xxxxxxxxxxxxxxx01234"), 11);
        // One that is there whole, across the place of the cut, goes out whole.
        assert_eq!(secrets.printable(b"xxxxxxxx0123456789yyy"), 18);
        let none = Secrets::default();
        assert_eq!(none.printable("xxü".as_bytes()), 4);
        assert_eq!(none.printable(&"xxü".as_bytes()[..3]), 2);
        assert_eq!(none.printable(b"xx\xff"), 3);
    }
}
