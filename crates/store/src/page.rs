//! One page of a listing.

use crate::error::StoreError;

/// Some of the items, and where the listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// To be given back as `after` for the next page; absent: that was all. Its form is the store's own affair.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` items out of up to one more; `cursor` names the place after an item.
    pub(crate) fn of(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}

/// A place in a listing that is ordered by a number and then a text.
pub(crate) struct Cursor {
    pub number: i64,
    pub text: String,
}

impl Cursor {
    pub fn write(number: i64, text: &str) -> String {
        format!("{number}/{text}")
    }

    pub fn read(cursor: &str) -> Result<Self, StoreError> {
        let invalid = || StoreError::Cursor(cursor.to_owned());
        let (number, text) = cursor.split_once('/').ok_or_else(invalid)?;
        Ok(Self { number: number.parse().map_err(|_| invalid())?, text: text.to_owned() })
    }
}

/// The least text above every text that begins with `prefix`; none if there is no such text.
pub(crate) fn prefix_end(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        let next = match last {
            char::MAX => continue,
            '\u{D7FF}' => '\u{E000}',
            other => char::from_u32(u32::from(other) + 1)?,
        };
        end.push(next);
        return Some(end);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_above_all_that_begins_with_it() {
        assert_eq!(prefix_end("a/").as_deref(), Some("a0"));
        assert_eq!(prefix_end("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
        assert_eq!(prefix_end("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(prefix_end("\u{10FFFF}"), None);
        assert_eq!(prefix_end(""), None);
    }

    #[test]
    fn a_page_says_where_it_ends_only_if_more_follows() {
        assert_eq!(Page::of(vec![1, 2, 3], 2, |n| n.to_string()).next.as_deref(), Some("2"));
        assert_eq!(Page::of(vec![1, 2], 2, |n| n.to_string()).next, None);
    }

    #[test]
    fn a_cursor_reads_as_written() {
        let read = Cursor::read(&Cursor::write(-5, "a/b")).unwrap();
        assert_eq!((read.number, read.text.as_str()), (-5, "a/b"));
        assert!(Cursor::read("5").is_err());
        assert!(Cursor::read("x/5").is_err());
    }
}
