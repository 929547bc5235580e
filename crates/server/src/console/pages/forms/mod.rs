//! Forms that make, change and remove what deployments need. Each is shown and sent at one address; what is sent is an
//! operation of the API, so that the same is checked, allowed and written down as of any other client. What is refused
//! brings the form back, with the refusal's words and with what was typed.

mod applications;
mod configurations;
mod groups;
mod registered;

use askama::Template;
use wire::codedeploy::Tag;

use crate::http::body::Response;

use super::super::answer;
use super::super::frame::{Frame, Section};
use super::super::problem::Problem;
use super::super::request::Pairs;
use super::super::visit::Visit;
use super::confirm::Confirm;

/// What a path means, if it is one of a form.
///
/// # Errors
/// There is no such thing, or the visitor may not see it.
pub async fn shown(visit: &Visit<'_>, path: &[&str]) -> Result<Option<Response>, Problem> {
    let form = match path {
        ["new", "application"] => applications::made(visit),
        ["new", "group"] => groups::made(visit).await?,
        ["new", "configuration"] => configurations::made(visit),
        ["new", "instance"] => registered::made(visit),
        ["applications", name, "rename"] => applications::renamed(visit, name),
        ["applications", name, "delete"] => return applications::ask(visit, name).map(Some),
        ["applications", name, "groups", group, "edit"] => {
            groups::changed(visit, name, group).await?
        }
        ["applications", name, "groups", group, "delete"] => {
            return groups::ask(visit, name, group).map(Some);
        }
        ["configurations", name, "delete"] => return configurations::ask(visit, name).map(Some),
        ["instances", name, "tags"] => registered::tagged(visit, name).await?,
        ["instances", name, "deregister"] => return registered::ask(visit, name).map(Some),
        _ => return Ok(None),
    };
    answer::page(&form).map(Some)
}

/// Does what a form that was sent to a path asks for, and goes on to where it is seen.
///
/// # Errors
/// It was refused, where the form cannot be shown again.
pub async fn submitted(visit: &Visit<'_>, path: &[&str]) -> Result<Option<Response>, Problem> {
    if let Some(place) = removed(visit, path).await? {
        return Ok(Some(answer::see_other(&place)));
    }
    let (form, done) = match path {
        ["new", "application"] => (applications::made(visit), applications::make(visit).await),
        ["new", "group"] => (groups::made(visit).await?, groups::make(visit).await),
        ["new", "configuration"] => {
            (configurations::made(visit), configurations::make(visit).await)
        }
        ["new", "instance"] => (registered::made(visit), registered::make(visit).await),
        ["applications", name, "rename"] => {
            (applications::renamed(visit, name), applications::rename(visit, name).await)
        }
        ["applications", name, "groups", group, "edit"] => {
            (groups::changed(visit, name, group).await?, groups::change(visit, name, group).await)
        }
        ["instances", name, "tags"] => {
            (registered::tagged(visit, name).await?, registered::tag(visit, name).await)
        }
        _ => return Ok(None),
    };
    match done {
        Ok(place) => Ok(Some(answer::see_other(&place))),
        Err(problem @ Problem::Refused(_)) => {
            let (status, wrong) = (problem.status(), Some(problem.to_string()));
            answer::page_with(status, &Form { wrong, ..form }).map(Some)
        }
        Err(problem) => Err(problem),
    }
}

/// Removes what a path names, if it is one of a removal; where to go on.
async fn removed(visit: &Visit<'_>, path: &[&str]) -> Result<Option<String>, Problem> {
    let place = match path {
        ["applications", name, "delete"] => applications::delete(visit, name).await?,
        ["applications", name, "groups", group, "delete"] => {
            groups::delete(visit, name, group).await?
        }
        ["configurations", name, "delete"] => configurations::delete(visit, name).await?,
        ["instances", name, "deregister"] => registered::deregister(visit, name).await?,
        _ => return Ok(None),
    };
    Ok(Some(place))
}

/// A form; its heading is the frame's title.
#[derive(Template)]
#[template(path = "form.html")]
pub struct Form {
    frame: Frame,
    /// Why it was not done when it was sent before.
    wrong: Option<String>,
    lead: &'static str,
    fields: Vec<Field>,
    button: &'static str,
    place: String,
    back: String,
}

struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: String,
    kind: Kind,
}

enum Kind {
    Text,
    /// One thing a line.
    Lines,
    /// One of these values, each with what it is called.
    Choice(Vec<(String, String)>),
    /// Ticked if its value is not empty.
    Tick,
}

/// What the fields of a form hold: what was sent, or what there is.
enum Filled<'a> {
    Sent(&'a Pairs),
    Found(Vec<(&'static str, String)>),
}

impl<'a> Filled<'a> {
    /// What was sent, or else what there is.
    fn of(visit: &'a Visit<'_>, found: Vec<(&'static str, String)>) -> Self {
        match visit.is_sent() {
            true => Self::Sent(&visit.request.form),
            false => Self::Found(found),
        }
    }

    fn value(&self, name: &str) -> String {
        match self {
            Self::Sent(form) => form.text(name),
            Self::Found(found) => {
                let value = found.iter().find(|(field, _)| *field == name);
                value.map(|(_, value)| value.clone()).unwrap_or_default()
            }
        }
    }

    fn text(&self, name: &'static str, label: &'static str, hint: &'static str) -> Field {
        Field { name, label, hint, value: self.value(name), kind: Kind::Text }
    }

    fn lines(&self, name: &'static str, label: &'static str, hint: &'static str) -> Field {
        Field { name, label, hint, value: self.value(name), kind: Kind::Lines }
    }

    fn tick(&self, name: &'static str, label: &'static str) -> Field {
        Field { name, label, hint: "", value: self.value(name), kind: Kind::Tick }
    }

    fn choice(
        &self,
        name: &'static str,
        label: &'static str,
        choices: Vec<(String, String)>,
    ) -> Field {
        Field { name, label, hint: "", value: self.value(name), kind: Kind::Choice(choices) }
    }
}

impl Form {
    fn new(frame: Frame, fields: Vec<Field>, button: &'static str, back: String) -> Self {
        let place = frame.here.clone();
        Self { frame, wrong: None, lead: "", fields, button, place, back }
    }
}

/// The question before something is removed.
fn ask_to_remove(
    visit: &Visit<'_>,
    section: Section,
    question: String,
    consequence: &str,
    button: &'static str,
    back: String,
) -> Result<Response, Problem> {
    let frame = Frame::of(visit, section, question.clone());
    answer::page(&Confirm {
        place: frame.here.clone(),
        frame,
        question,
        consequence: consequence.to_owned(),
        button,
        is_dangerous: true,
        back,
    })
}

/// The lines of a field, without blanks around them and without empty ones.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Tags as they are typed: `key=value`, one a line.
fn read_tags(text: &str) -> Vec<Tag> {
    let tags = lines(text).map(|line| line.split_once('=').unwrap_or((line, "")));
    tags.map(|(key, value)| Tag {
        key: Some(key.trim().to_owned()),
        value: Some(value.trim().to_owned()),
    })
    .collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_line_by_line() {
        let tags = read_tags(" role = web \r\n\nlone\r\nurl=a=b");
        let pairs: Vec<_> = tags
            .iter()
            .map(|tag| (tag.key.as_deref().unwrap(), tag.value.as_deref().unwrap()))
            .collect();
        assert_eq!(pairs, [("role", "web"), ("lone", ""), ("url", "a=b")]);
    }
}
