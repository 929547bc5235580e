//! Alarms, topics, event destinations and connections to GitHub: what neighbouring services keep for deployments.

use std::collections::HashMap;

use askama::Template;
use model::Timestamp;
use wire::codedeploy::ListGitHubAccountTokenNamesInput;

use crate::alarms::AlarmSource;
use crate::cloudwatch::alarms::{self, AlarmRecord, AlarmState};
use crate::http::body::Response;
use crate::notifications::destinations::{self, EventDestination};
use crate::sns::subscriptions::SubscriptionRecord;
use crate::sns::topics::{self, TopicRecord};

use super::super::answer;
use super::super::frame::{Frame, Section};
use super::super::problem::Problem;
use super::super::show::{Badge, When};
use super::super::visit::Visit;

#[derive(Template)]
#[template(path = "alarms.html")]
struct Alarms {
    frame: Frame,
    rows: Vec<AlarmRow>,
}

struct AlarmRow {
    name: String,
    source: Option<String>,
    badge: Badge,
    reason: String,
    since: When,
}

/// Alarms with their states; those that are red come first.
pub async fn alarms(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.need("cloudwatch:DescribeAlarms").await?;
    let prefix = alarms::key(visit.region(), "");
    let mut found = visit.edge.records.list::<AlarmRecord>(&prefix).await?;
    found.sort_by_key(|kept| (kept.record.state != AlarmState::Alarm, kept.record.name.clone()));
    let mut sources = HashMap::new();
    if visit.may_anywhere("longshore:ListAlarmSources").await? {
        for kept in visit.edge.records.list::<AlarmSource>(&prefix).await? {
            sources.insert(kept.record.alarm, kept.record.what.words());
        }
    }
    let rows = found.into_iter().map(|kept| AlarmRow {
        source: sources.remove(&kept.record.name),
        badge: match kept.record.state {
            AlarmState::Ok => Badge { look: "ok", word: "OK" },
            AlarmState::Alarm => Badge { look: "bad", word: "ALARM" },
            AlarmState::InsufficientData => Badge { look: "wait", word: "Insufficient data" },
        },
        name: kept.record.name,
        reason: kept.record.reason,
        since: When(Timestamp::from_millis(kept.record.transitioned_ms)),
    });
    let rows = rows.collect();
    answer::page(&Alarms { frame: Frame::of(visit, Section::Alarms, "Alarms"), rows })
}

#[derive(Template)]
#[template(path = "topics.html")]
struct Topics {
    frame: Frame,
    rows: Vec<TopicRow>,
    destinations: Vec<DestinationRow>,
    dead: Vec<DeadRow>,
}

struct TopicRow {
    name: String,
    arn: String,
    subscriptions: Vec<SubscriptionRow>,
}

struct SubscriptionRow {
    protocol: String,
    endpoint: String,
    badge: Badge,
}

struct DestinationRow {
    name: String,
    url: String,
    format: &'static str,
}

/// A message that could not be delivered.
struct DeadRow {
    destination: String,
    since: When,
    attempts: u32,
    error: String,
}

/// Messages that were given up, on one page; the rest is listed by the API.
const DEAD_MAX: u32 = 50;

/// Topics with who is subscribed to them, event destinations, and what could not be delivered.
pub async fn topics(visit: &Visit<'_>) -> Result<Response, Problem> {
    visit.need("sns:ListTopics").await?;
    visit.need("sns:ListSubscriptions").await?;
    let prefix = topics::arn(&visit.call().scope, "");
    let records = &visit.edge.records;
    let mut subscriptions: HashMap<String, Vec<SubscriptionRow>> = HashMap::new();
    for kept in records.list::<SubscriptionRecord>(&prefix).await? {
        let record = kept.record;
        let badge = if record.is_confirmed() {
            Badge { look: "ok", word: "Confirmed" }
        } else {
            Badge { look: "wait", word: "Pending" }
        };
        let row = SubscriptionRow { protocol: record.protocol, endpoint: record.endpoint, badge };
        subscriptions.entry(record.topic).or_default().push(row);
    }
    let rows = records.list::<TopicRecord>(&prefix).await?.into_iter().map(|kept| TopicRow {
        name: kept.record.arn.rsplit(':').next().unwrap_or_default().to_owned(),
        subscriptions: subscriptions.remove(&kept.record.arn).unwrap_or_default(),
        arn: kept.record.arn,
    });
    let rows = rows.collect();
    let frame = Frame::of(visit, Section::Topics, "Topics");
    let (destinations, dead) = (event_destinations(visit).await?, dead_letters(visit).await?);
    answer::page(&Topics { frame, rows, destinations, dead })
}

/// Those of the region; none for a visitor who may not list them.
async fn event_destinations(visit: &Visit<'_>) -> Result<Vec<DestinationRow>, Problem> {
    if !visit.may_anywhere("longshore:ListEventDestinations").await? {
        return Ok(Vec::new());
    }
    let prefix = destinations::key(visit.region(), "");
    let found = visit.edge.records.list::<EventDestination>(&prefix).await?;
    let rows = found.into_iter().map(|kept| DestinationRow {
        format: kept.record.format.name(),
        name: kept.record.name,
        url: kept.record.url,
    });
    Ok(rows.collect())
}

/// The oldest; none for a visitor who may not list them.
async fn dead_letters(visit: &Visit<'_>) -> Result<Vec<DeadRow>, Problem> {
    if !visit.may_anywhere("longshore:ListDeadLetters").await? {
        return Ok(Vec::new());
    }
    let page = visit.app().store.dead_letters(None, None, DEAD_MAX).await?;
    let rows = page.items.into_iter().map(|dead| DeadRow {
        destination: dead.destination,
        since: When(dead.died),
        attempts: dead.attempts,
        error: dead.error,
    });
    Ok(rows.collect())
}

#[derive(Template)]
#[template(path = "connections.html")]
struct Connections {
    frame: Frame,
    names: Vec<String>,
}

/// The names of stored connections to GitHub; what is stored under them is shown to nobody.
pub async fn connections(visit: &Visit<'_>) -> Result<Response, Problem> {
    let (mut names, mut next_token) = (Vec::new(), None);
    loop {
        let page = visit.ask(&ListGitHubAccountTokenNamesInput { next_token }).await?;
        names.extend(page.token_name_list.unwrap_or_default());
        next_token = page.next_token;
        if next_token.is_none() {
            let frame = Frame::of(visit, Section::Connections, "GitHub connections");
            return answer::page(&Connections { frame, names });
        }
    }
}
