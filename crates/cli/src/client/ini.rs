//! The format of the files that the `aws` CLI is configured by.
//!
//! It is not that of other ini files: a setting may have settings of its own, indented below it. Source: the AWS SDKs
//! and Tools Reference Guide, "Shared config and credentials files".

use std::collections::BTreeMap;

/// The settings of one section; one of another setting's own is called `setting.own`.
pub type Section = BTreeMap<String, String>;

/// The sections of a file by their whole heading, such as `profile staging`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sections(BTreeMap<String, Section>);

impl Sections {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The number and text of the first line that is no heading, setting, comment or blank.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sections: BTreeMap<String, Section> = BTreeMap::new();
        let mut heading: Option<String> = None;
        let mut parent: Option<String> = None;
        for (number, line) in text.lines().enumerate() {
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            let wrong = || format!("line {} is no setting: `{content}`", number + 1);
            let is_indented = line.starts_with([' ', '\t']);
            if !is_indented && let Some(rest) = content.strip_prefix('[') {
                let name = rest.split(']').next().ok_or_else(wrong)?;
                let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
                sections.entry(name.clone()).or_default();
                (heading, parent) = (Some(name), None);
                continue;
            }
            let (name, value) = content.split_once('=').ok_or_else(wrong)?;
            let (name, value) = (name.trim().to_lowercase(), value.trim().to_owned());
            let section = heading.as_ref().ok_or_else(wrong)?;
            let section = sections.entry(section.clone()).or_default();
            match &parent {
                Some(parent) if is_indented => {
                    section.insert(format!("{parent}.{name}"), value);
                }
                _ => {
                    parent = Some(name.clone());
                    section.insert(name, value);
                }
            }
        }
        Ok(Self(sections))
    }

    /// The section with that heading.
    pub fn get(&self, heading: &str) -> Option<&Section> {
        self.0.get(heading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_may_have_settings_of_its_own() {
        let text = "# ours\n[default]\nregion=eu-west-1\n[services  local]\ncodedeploy =\n  endpoint_url = http://c\n\ns3 = \n\tendpoint_url=http://s\n";
        let sections = Sections::parse(text).unwrap();
        assert_eq!(sections.get("default").unwrap()["region"], "eu-west-1");
        let services = sections.get("services local").unwrap();
        assert_eq!(services["codedeploy.endpoint_url"], "http://c");
        assert_eq!(services["s3.endpoint_url"], "http://s");
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let error = Sections::parse("[default]\nregion\n").unwrap_err();
        assert_eq!(error, "line 2 is no setting: `region`");
        assert!(Sections::parse("region = x\n").is_err());
    }
}
