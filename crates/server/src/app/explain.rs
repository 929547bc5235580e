//! What happened to a deployment, and why.

use rollout::Input;
use store::TimelineEntry;
use wire::ErrorCode;
use wire::longshore::{
    DecisionInput, ExplainDeploymentInput, ExplainDeploymentOutput, TimelineEntry as Entry,
};

use super::target_info::time;
use super::targets::short_id;
use super::{Answer, App, Call};

/// Entries of one answer.
const ENTRIES: u32 = 100;

impl App {
    /// The timeline of a deployment, or what of it is about one target or about all.
    pub async fn explain_deployment(
        &self,
        _call: &Call,
        input: ExplainDeploymentInput,
    ) -> Answer<ExplainDeploymentOutput> {
        let record = self.deployment(input.deployment_id).await?;
        let target = input.target_id.map(|id| short_id(&id, ErrorCode::InvalidDeploymentTargetId));
        let target = target.transpose()?;
        self.check_target(&record, target.as_ref()).await?;
        let id = &record.state.id;
        let list = format!("ExplainDeployment {id} {target:?}");
        let after = self.tokens.open(&list, input.next_token.as_deref())?;
        let page = self.store.timeline(id, target.as_ref(), after.as_deref(), ENTRIES).await?;
        Ok(ExplainDeploymentOutput {
            entries: Some(page.items.into_iter().map(show).collect()),
            next_token: self.tokens.next(&list, page.next),
        })
    }
}

fn show(entry: TimelineEntry) -> Entry {
    let inputs = entry
        .inputs
        .into_iter()
        .map(|(name, input)| DecisionInput { name: Some(name), values: Some(values(input)) });
    Entry {
        time: Some(time(entry.at)),
        kind: Some(entry.kind.name().to_owned()),
        target_id: entry.target.map(|id| id.to_string()),
        rule: Some(entry.rule),
        inputs: Some(inputs.collect()),
        text: Some(entry.what),
    }
}

fn values(input: Input) -> Vec<String> {
    match input {
        Input::Text(text) => vec![text],
        Input::Number(number) => vec![number.to_string()],
        Input::Texts(texts) => texts,
    }
}
