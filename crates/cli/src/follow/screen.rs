//! The terminal that frames are drawn on, one over the other.

use std::io::Write;

use console::Term;

use super::frame::{self, Size};
use super::{Ended, Seen};

/// What is on the screen.
pub struct Screen {
    term: Term,
    size: Size,
    drawn: usize,
    is_open: bool,
}

impl Screen {
    pub fn new() -> Self {
        let term = Term::stdout();
        let size = size(&term);
        Self { term, size, drawn: 0, is_open: false }
    }

    /// Draws over what was drawn before.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, seen: &Seen, away: Option<&str>) -> anyhow::Result<()> {
        let size = size(&self.term);
        let mut out = String::new();
        if !self.is_open {
            out.push_str("\x1b[?25l");
            self.is_open = true;
        }
        if size != self.size {
            // Some terminals wrap what is there when they become narrower, and some cut it: from a clean screen both are
            // right.
            out.push_str("\x1b[2J\x1b[H");
            (self.size, self.drawn) = (size, 0);
        } else if self.drawn > 0 {
            out.push_str(&format!("\r\x1b[{}A", self.drawn));
        }
        // At the end all hosts are told, as far as they go: nothing is drawn over them any more.
        let shown = match Ended::of(&seen.info) {
            Some(_) => Size { rows: usize::MAX, ..size },
            None => size,
        };
        let lines = frame::lines(seen, away, shown);
        self.drawn = lines.len();
        for line in &lines {
            out.push_str(line);
            out.push_str("\x1b[K\r\n");
        }
        out.push_str("\x1b[J");
        self.term.write_all(out.as_bytes())?;
        self.term.flush()?;
        Ok(())
    }

    /// Gives the cursor back.
    pub fn close(&mut self) {
        if self.is_open {
            self.is_open = false;
            // A terminal that is gone needs nothing.
            let _ = self.term.show_cursor();
        }
    }
}

fn size(term: &Term) -> Size {
    let (rows, columns) = term.size();
    Size { rows: usize::from(rows).max(3), columns: usize::from(columns).max(10) }
}
