//! Telling what a deployment's Install would do to this host's files, before there is such a deployment.
//!
//! The bundle is fetched and unpacked as for a deployment, beside the deployments, and thrown away again.

use std::fs;
use std::io;
use std::sync::Arc;

use camino::Utf8Path;

use super::{EventError, Executor, check_events, remote};
use crate::bundle::download::{ARCHIVE, Start};
use crate::bundle::{self, BundleError};
use crate::host_plan::{HostPlan, Outcome};
use crate::install::{self, Foreseen, LedgerFiles, Previous};
use crate::layout;
use crate::spec::{Specification, chain};

impl Executor {
    /// What the Install of a deployment would do to this host's files now.
    pub async fn foresee(self: &Arc<Self>, spec: &Arc<Specification>) -> HostPlan {
        let visit = self.layout.visit(&spec.deployment_group_id);
        let foreseen = self.foresee_in(spec, &visit).await;
        // Other work goes on meanwhile: there may be thousands of files.
        let _ = tokio::task::spawn_blocking(move || clear(&visit)).await;
        foreseen.unwrap_or_else(|error| failed(&error))
    }

    /// Removes what plans left that were cut short when the agent ended.
    pub fn forget_plans(&self) {
        clear(&self.layout.visits());
    }

    async fn foresee_in(
        self: &Arc<Self>,
        spec: &Arc<Specification>,
        visit: &Utf8Path,
    ) -> Result<HostPlan, EventError> {
        layout::private_directory(visit).map_err(BundleError::host("create", visit))?;
        let place = self.place(spec, visit);
        let start =
            remote(&spec.revision).map_or(Start::Nothing, |(remote, _)| place.borrow(&remote));
        self.fetch(spec, &place, start).await?;
        let (this, spec, archive) = (Arc::clone(self), Arc::clone(spec), visit.join(ARCHIVE));
        let looking = tokio::task::spawn_blocking(move || this.look_ahead(&spec, &archive));
        let looked = looking.await.unwrap_or_else(|error| {
            Err(EventError::Internal { event: "a plan".to_owned(), reason: error.to_string() })
        });
        looked.map(|foreseen| HostPlan::of(&foreseen))
    }

    fn look_ahead(&self, spec: &Specification, archive: &Utf8Path) -> Result<Foreseen, EventError> {
        let (name, appspec) = self.appspec(spec, archive)?;
        check_events(spec, &name, &appspec)?;
        let group = &spec.deployment_group_id;
        // No Install of the group goes on meanwhile.
        let (ledger, _lock) = self.ledger(group)?;
        if LedgerFiles::interrupted(&self.layout.ledger()).contains(group) {
            return Err(EventError::CutShort);
        }
        let previous = Previous::read(&ledger)?;
        Ok(install::foresee(&appspec, archive, &spec.file_exists_behavior, &previous))
    }
}

/// Removes what was fetched for plans. What cannot be removed now, the next start of the agent removes.
fn clear(directory: &Utf8Path) {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, %directory, "what was fetched for a plan cannot be removed");
        }
        _ => {}
    }
}

/// What is told where there is nothing to look at: a deployment would meet the same error, unless that may pass.
fn failed(error: &EventError) -> HostPlan {
    let is_known = match error {
        EventError::Bundle(error) => !bundle::is_passing(error),
        EventError::Internal { .. } | EventError::CutShort => false,
        _ => true,
    };
    let outcome = if is_known { Outcome::Fails } else { Outcome::Unknown };
    HostPlan { outcome, message: Some(chain(error)), ..HostPlan::default() }
}
