//! The question that is asked once before something is done.

use askama::Template;

use super::super::frame::Frame;

/// The question, with one button that does it and one link that does nothing.
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct Confirm {
    pub frame: Frame,
    pub question: String,
    pub consequence: String,
    pub button: &'static str,
    pub is_dangerous: bool,
    /// Where the button sends its form.
    pub place: String,
    pub back: String,
}
