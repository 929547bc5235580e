//! The list of mutants: a small text beside the planner's sources.

use anyhow::{Context, bail, ensure};

/// One guard of the planner, broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The rule that it breaks, in words.
    pub rule: String,
    /// The file, below the planner's `src`.
    pub file: String,
    from: String,
    to: String,
}

impl Mutant {
    /// The mutants of a list, in its order: paragraphs of `rule:`, `file:`, `from:` and `to:`, one line each.
    pub fn list(text: &str) -> anyhow::Result<Vec<Self>> {
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
        lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty()).map(read).collect()
    }

    /// The file's text with the guard broken, everywhere where it stands.
    pub fn apply(&self, source: &str) -> anyhow::Result<String> {
        let mut found = false;
        let mut broken = String::with_capacity(source.len());
        for line in source.lines() {
            if line.trim() == self.from {
                found = true;
                broken.push_str(&self.to);
            } else {
                broken.push_str(line);
            }
            broken.push('\n');
        }
        ensure!(
            found,
            "the mutant of the rule `{}` no longer applies: {} has no line `{}`. Rewrite it for the code as it is now",
            self.rule,
            self.file,
            self.from
        );
        Ok(broken)
    }
}

fn read(lines: &[&str]) -> anyhow::Result<Mutant> {
    let [rule, file, from, to] = lines else {
        bail!("a mutant has four lines, and not: {}", lines.join(" | "));
    };
    let value = |line: &str, name: &str| -> anyhow::Result<String> {
        let rest = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
        Ok(rest
            .with_context(|| format!("`{name}:` was expected, and not `{line}`"))?
            .trim()
            .to_owned())
    };
    Ok(Mutant {
        rule: value(rule, "rule")?,
        file: value(file, "file")?,
        from: value(from, "from")?,
        to: value(to, "to")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# Notes.\n\nrule: one is one\nfile: a.rs\nfrom: one == 1\nto:   one == 2\n";

    #[test]
    fn a_mutant_changes_the_line_that_it_names() {
        let [mutant] = &Mutant::list(LIST).unwrap()[..] else { panic!("one mutant") };
        assert_eq!(mutant.apply("if x {\n    one == 1\n}\n").unwrap(), "if x {\none == 2\n}\n");
        let error = mutant.apply("one == 3\n").unwrap_err().to_string();
        assert!(error.contains("no longer applies: a.rs has no line `one == 1`"), "{error}");
    }

    #[test]
    fn a_paragraph_that_is_no_mutant_is_refused() {
        assert!(Mutant::list("rule: one\nfile: a.rs\nfrom: x\n").is_err());
        assert!(Mutant::list("rule: one\nfile: a.rs\nto: x\nfrom: y\n").is_err());
    }

    /// A patch that no longer applies is seen by every test run, and not only when the mutants are built.
    #[test]
    fn every_mutant_of_the_planner_applies() {
        let rollout = crate::repository().join("crates/rollout");
        let list = std::fs::read_to_string(rollout.join("mutants.txt")).unwrap();
        for mutant in Mutant::list(&list).unwrap() {
            let source = std::fs::read_to_string(rollout.join("src").join(&mutant.file)).unwrap();
            assert_ne!(mutant.apply(&source).unwrap(), source, "{}", mutant.rule);
        }
    }
}
