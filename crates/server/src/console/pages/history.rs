//! What happened to a deployment, as its page tells it: entries with ids, so that new ones can be put before them.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use store::TimelineEntry;

use super::super::show::When;

/// One thing that happened.
pub struct Happened(pub TimelineEntry);

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<li id="{{ id }}" data-into="history"><span class="when">{{ when }}</span> {% if let Some(target) = named %}<span class="id">{{ target }}</span> {% endif %}{{ what }}</li>"#
)]
struct Entry<'a> {
    id: String,
    when: When,
    /// Whom it concerns, unless its words begin with that.
    named: Option<&'a str>,
    what: &'a str,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(TimelineEntry { place: (version, rank), at, target, what, .. }) = self;
        let named = target.as_ref().map(model::TargetId::as_str);
        let entry = Entry {
            id: format!("h{version}-{rank}"),
            when: When(*at),
            named: named.filter(|name| !what.starts_with(name)),
            what,
        };
        entry.render_into(f).map_err(|_| fmt::Error)
    }
}

impl HtmlSafe for Happened {}
