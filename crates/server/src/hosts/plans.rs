//! What hosts are asked about deployments that may be made, and what they answer. An extension: official agents are never asked.

use model::ApplicationId;
use model::Timestamp;
use store::HostPlan;
use wire::NoOutput;
use wire::commands::{Envelope, FORMAT_PKCS7_JSON, HostPlanInstance, PutHostPlanInput};

use super::{Hosts, client, specification};
use crate::app::host_plans::{Effect, FileEffect, Outcome, Question, Summary, read, write};
use crate::app::{Answer, Call, location};

/// The longest path and message of an answer, in characters.
const TEXT_MAX: usize = 4096;

impl Hosts {
    /// A plan that the host is to be told of now, if there is one.
    pub(super) async fn next_plan(
        &self,
        call: &Call,
        host: &str,
        now: Timestamp,
    ) -> Answer<Option<HostPlanInstance>> {
        let Some(plan) = self.store.take_host_plan(host, now).await? else { return Ok(None) };
        tracing::debug!(plan = plan.id, host, "asked");
        let payload = self.sign(&self.question(call, &plan).await?, now)?;
        Ok(Some(HostPlanInstance {
            host_plan_identifier: Some(plan.id),
            host_identifier: Some(host.to_owned()),
            generic_envelope: Some(Envelope {
                format: Some(FORMAT_PKCS7_JSON.to_owned()),
                payload: Some(payload),
            }),
        }))
    }

    /// What is signed: a specification in a wrapper, so that neither can be taken for the other.
    async fn question(&self, call: &Call, plan: &HostPlan) -> Answer<Vec<u8>> {
        let question: Question = read(&plan.question)?;
        let revision = location::parse(&question.revision)?;
        let application = ApplicationId::new(question.application_id.clone());
        let token = self.git_hub_token(&revision, &application, &plan.region).await?;
        let content = specification::of_plan(&question, &revision, &call.scope, token.as_deref());
        Ok(serde_json::json!({ "HostPlan": content }).to_string().into_bytes())
    }

    /// The host says what an Install would do to its files. The first answer counts.
    pub async fn put_host_plan(&self, call: &Call, input: PutHostPlanInput) -> Answer<NoOutput> {
        let host = input.host_identifier.unwrap_or_default();
        self.check_host(call, &host).await?;
        let id = input.host_plan_identifier.unwrap_or_default();
        let counts = input.counts.unwrap_or_default();
        let count = |number: Option<i64>| number.unwrap_or_default().max(0);
        let summary = Summary {
            outcome: Outcome::from_name(&input.outcome.unwrap_or_default()).unwrap_or_default(),
            message: input.message.as_deref().filter(|text| !text.is_empty()).map(short),
            conflict: count(counts.conflicting),
            remove: count(counts.removed),
            change: count(counts.changed),
            add: count(counts.added),
            keep: count(counts.kept),
            unchanged: count(counts.unchanged),
        };
        let files = input.files.unwrap_or_default().into_iter();
        let mut files: Vec<FileEffect> = files
            .filter_map(|file| {
                let effect = Effect::from_name(&file.effect?)?;
                Some(FileEffect { effect, path: short(&file.path?) })
            })
            .collect();
        files.sort();
        let (summary, files) = (write(&summary)?, write(&files)?);
        if !self.store.answer_host_plan(&id, &host, call.now, &summary, &files).await? {
            return Err(client("no answer of this host is waited for"));
        }
        tracing::debug!(plan = id, host, "answered");
        Ok(NoOutput {})
    }
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}
