//! Longshore's own operations on event destinations and dead letters.

use std::collections::HashSet;

use store::{DocumentWrite, Expected, StoreError};
use wire::longshore::{
    DeadLetter as ShownLetter, DeleteDeadLettersInput, DeleteDeadLettersOutput,
    DeleteEventDestinationInput, EventDestination as Shown, EventFilter, ListDeadLettersInput,
    ListDeadLettersOutput, ListEventDestinationsInput, ListEventDestinationsOutput,
    PutEventDestinationInput, PutEventDestinationOutput, RedriveDeadLettersInput,
    RedriveDeadLettersOutput,
};
use wire::{ErrorCode, NoOutput, ServiceError, Time};

use super::destinations::{EventDestination, Filter, destination, key};
use super::events::{DEPLOYMENT, Format, INSTANCE};
use super::webhook;
use crate::app::{Answer, Failure};
use crate::forms::Context;
use crate::forms::records::{Record, RecordError};
use crate::outbound;

/// Destinations of one region: each of them gets its own copy of each event.
const DESTINATIONS_MAX: usize = 50;

/// Dead letters in one answer: each may hold a message of a quarter of a mebibyte.
const LETTERS_MAX: u32 = 50;

/// Makes or replaces a destination.
pub(crate) async fn put(
    context: &Context,
    input: PutEventDestinationInput,
) -> Answer<PutEventDestinationOutput> {
    let name = input.name.unwrap_or_default();
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        let message = format!(
            "The name '{name}' has other characters than letters, digits, '.', '_' and '-'"
        );
        return Err(invalid(message).into());
    }
    let url = input.url.unwrap_or_default();
    outbound::check_url(&url, context.outside.reach).map_err(|error| invalid(error.to_string()))?;
    let format = match input.format.as_deref() {
        None => Format::EventBridge,
        Some(name) => Format::from_name(name)
            .ok_or_else(|| invalid(format!("The format '{name}' is unknown")))?,
    };
    let filter = filter(input.filter.unwrap_or_default())?;
    let key = key(&context.scope.region, &name);
    let before = context.records.get::<EventDestination>(&key).await.map_err(unreachable)?;
    let before = before.map(|kept| kept.record);
    if before.is_none() {
        check_room(context).await?;
    }
    let (secret, told) = match (input.secret, &before) {
        (Some(given), _) if webhook::is_secret(&given) => (given, None),
        (Some(_), _) => {
            let message = "What follows whsec_ in the secret is not base64 of 16 bytes or more";
            return Err(invalid(message.to_owned()).into());
        }
        (None, Some(before)) => (before.secret.clone(), None),
        (None, None) => {
            let drawn = webhook::draw_secret();
            (drawn.clone(), Some(drawn))
        }
    };
    let made = EventDestination {
        region: context.scope.region.clone(),
        name,
        url,
        format,
        secret,
        filter,
        created_ms: before.map_or(context.now.as_millis(), |before| before.created_ms),
    };
    let write = DocumentWrite::put(EventDestination::KIND, &key, Expected::Any, &made)?;
    context.records.write(vec![write]).await.map_err(unreachable)?;
    Ok(PutEventDestinationOutput { secret: told })
}

/// Two that come at the same time may both find the last place: that does no harm.
async fn check_room(context: &Context) -> Answer<()> {
    let prefix = key(&context.scope.region, "");
    let found = context.records.list::<EventDestination>(&prefix).await.map_err(unreachable)?;
    if found.len() < DESTINATIONS_MAX {
        return Ok(());
    }
    let message =
        format!("The region has {DESTINATIONS_MAX} event destinations already, which is the limit");
    Err(Failure::refused(ErrorCode::EventDestinationLimitExceeded, message))
}

fn filter(filter: EventFilter) -> Result<Filter, ServiceError> {
    let detail_types = filter.detail_types.unwrap_or_default();
    if let Some(wrong) =
        detail_types.iter().find(|kind| ![DEPLOYMENT, INSTANCE].contains(&kind.as_str()))
    {
        let message = format!(
            "There are no events of the detail type '{wrong}', only '{DEPLOYMENT}' and '{INSTANCE}'"
        );
        return Err(invalid(message));
    }
    Ok(Filter {
        application_names: filter.application_names.unwrap_or_default(),
        deployment_group_names: filter.deployment_group_names.unwrap_or_default(),
        detail_types,
    })
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidEventDestination, message)
}

fn unreachable(error: RecordError) -> Failure {
    Failure::internal("event destinations cannot be reached", error)
}

/// The destinations of the region; their secrets stay.
pub(crate) async fn list(
    context: &Context,
    _input: ListEventDestinationsInput,
) -> Answer<ListEventDestinationsOutput> {
    let prefix = key(&context.scope.region, "");
    let found = context.records.list::<EventDestination>(&prefix).await.map_err(unreachable)?;
    let shown = found.into_iter().map(|kept| show(kept.record)).collect();
    Ok(ListEventDestinationsOutput { event_destinations: Some(shown) })
}

fn show(record: EventDestination) -> Shown {
    Shown {
        name: Some(record.name),
        url: Some(record.url),
        format: Some(record.format.name().to_owned()),
        filter: Some(EventFilter {
            application_names: Some(record.filter.application_names),
            deployment_group_names: Some(record.filter.deployment_group_names),
            detail_types: Some(record.filter.detail_types),
        }),
        create_time: Some(Time::from_millis(record.created_ms)),
    }
}

/// Deletes a destination with what is on its way to it.
pub(crate) async fn delete(
    context: &Context,
    input: DeleteEventDestinationInput,
) -> Answer<NoOutput> {
    let name = input.name.unwrap_or_default();
    let key = key(&context.scope.region, &name);
    if context.records.get::<EventDestination>(&key).await.map_err(unreachable)?.is_none() {
        let message = format!("There is no event destination '{name}'");
        return Err(Failure::refused(ErrorCode::EventDestinationDoesNotExist, message));
    }
    let gone = DocumentWrite::delete(EventDestination::KIND, &key, Expected::Any);
    context.records.write(vec![gone]).await.map_err(unreachable)?;
    context.records.store().forget_deliveries(&destination(&key)).await?;
    Ok(NoOutput {})
}

/// Messages that could not be delivered.
pub(crate) async fn dead_letters(
    context: &Context,
    input: ListDeadLettersInput,
) -> Answer<ListDeadLettersOutput> {
    let store = context.records.store();
    let wanted = input.destination.as_deref();
    let page = match store.dead_letters(wanted, input.next_token.as_deref(), LETTERS_MAX).await {
        Err(StoreError::Cursor(_)) => {
            let message = "The nextToken was not given by an earlier answer";
            return Err(Failure::refused(ErrorCode::InvalidNextToken, message));
        }
        page => page?,
    };
    let shown = page.items.into_iter().map(|dead| ShownLetter {
        id: Some(dead.id),
        message_id: Some(dead.message_id),
        destination: Some(dead.destination),
        body: Some(dead.body),
        create_time: Some(Time::from_millis(dead.created.as_millis())),
        end_time: Some(Time::from_millis(dead.died.as_millis())),
        attempts: Some(dead.attempts.into()),
        error: Some(dead.error),
    });
    Ok(ListDeadLettersOutput { dead_letters: Some(shown.collect()), next_token: page.next })
}

/// Sends dead letters again.
pub(crate) async fn redrive(
    context: &Context,
    input: RedriveDeadLettersInput,
) -> Answer<RedriveDeadLettersOutput> {
    let mut done = Vec::new();
    for id in distinct(input.ids) {
        if context.records.store().redrive(&id).await? {
            done.push(id);
        }
    }
    Ok(RedriveDeadLettersOutput { ids: Some(done) })
}

/// Throws dead letters away.
pub(crate) async fn discard(
    context: &Context,
    input: DeleteDeadLettersInput,
) -> Answer<DeleteDeadLettersOutput> {
    let mut done = Vec::new();
    for id in distinct(input.ids) {
        if context.records.store().discard_dead_letter(&id).await? {
            done.push(id);
        }
    }
    Ok(DeleteDeadLettersOutput { ids: Some(done) })
}

fn distinct(ids: Option<Vec<String>>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.into_iter().flatten().filter(|id| seen.insert(id.clone())).collect()
}
