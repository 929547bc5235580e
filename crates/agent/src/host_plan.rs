//! What a host tells of a deployment that may be made.

use wire::commands::{HostPlanCounts, HostPlanFile};

use crate::install::{Effect, Foreseen};
use crate::spec::chain;

/// Files that are told, at most; the others are only counted.
const FILES_MAX: usize = 1000;
/// What the paths of those may come to, in bytes.
const PATHS_BYTES_MAX: usize = 256 * 1024;

/// What the host says.
#[derive(Debug, Default)]
pub struct HostPlan {
    pub outcome: Outcome,
    /// Why the Install would fail, or why nothing is known.
    pub message: Option<String>,
    pub counts: HostPlanCounts,
    pub files: Vec<HostPlanFile>,
}

/// What would come of the Install.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    Succeeds,
    Fails,
    #[default]
    Unknown,
}

impl Outcome {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeds => "Succeeds",
            Self::Fails => "Fails",
            Self::Unknown => "Unknown",
        }
    }
}

impl HostPlan {
    /// What is told where nothing may be known at all.
    pub fn unknown(message: String) -> Self {
        Self { message: Some(message), ..Self::default() }
    }

    /// What is told of what was foreseen.
    pub fn of(foreseen: &Foreseen) -> Self {
        let count = |effect: Effect| {
            let found = foreseen.files.values().filter(|found| **found == effect).count();
            i64::try_from(found).ok()
        };
        let counts = HostPlanCounts {
            conflicting: count(Effect::Conflict),
            removed: count(Effect::Remove),
            changed: count(Effect::Change),
            added: count(Effect::Add),
            kept: count(Effect::Keep),
            unchanged: i64::try_from(foreseen.unchanged).ok(),
        };
        let refusal = foreseen.refusal.as_ref();
        let outcome = if refusal.is_some() { Outcome::Fails } else { Outcome::Succeeds };
        let message = refusal.map(|error| chain(error));
        Self { outcome, message, counts, files: told(foreseen) }
    }
}

/// The files that matter most, as many as fit.
fn told(foreseen: &Foreseen) -> Vec<HostPlanFile> {
    let mut files: Vec<_> = foreseen.files.iter().map(|(path, effect)| (*effect, path)).collect();
    files.sort();
    let mut bytes = 0;
    let fitting = files.into_iter().take(FILES_MAX).take_while(|(_, path)| {
        bytes += path.as_os_str().len();
        bytes <= PATHS_BYTES_MAX
    });
    let told = fitting.map(|(effect, path)| HostPlanFile {
        path: Some(path.to_string_lossy().into_owned()),
        effect: Some(effect.name().to_owned()),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::install::InstallError;

    #[test]
    fn of_many_files_those_are_told_that_matter_and_all_are_counted() {
        let file = |effect: Effect, number: usize| {
            (PathBuf::from(format!("/srv/{}-{number:04}", effect.name())), effect)
        };
        let added = (0..1500).map(|number| file(Effect::Add, number));
        let others = [file(Effect::Keep, 0), file(Effect::Conflict, 0), file(Effect::Remove, 0)];
        let files: BTreeMap<PathBuf, Effect> = added.chain(others).collect();
        let path = PathBuf::from("/srv/Conflict-0000");
        let refusal = Some(InstallError::Exists { path });
        let plan = HostPlan::of(&Foreseen { files, unchanged: 7, refusal });
        assert_eq!(plan.outcome, Outcome::Fails);
        assert!(
            plan.message.unwrap().ends_with("already exists at this location: /srv/Conflict-0000")
        );
        assert_eq!((plan.counts.added, plan.counts.unchanged), (Some(1500), Some(7)));
        assert_eq!(plan.files.len(), FILES_MAX);
        let effects: Vec<_> =
            plan.files.iter().take(3).map(|file| file.effect.as_deref().unwrap()).collect();
        assert_eq!(effects, ["Conflict", "Remove", "Add"]);
    }

    #[test]
    fn long_paths_take_the_place_of_many() {
        let long = "n".repeat(60_000);
        let path = |number: u32| (PathBuf::from(format!("/{number}{long}")), Effect::Add);
        let foreseen = Foreseen { files: (0..9).map(path).collect(), ..Foreseen::default() };
        assert_eq!(told(&foreseen).len(), 4);
    }
}
