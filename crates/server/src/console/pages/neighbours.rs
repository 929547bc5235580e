//! Alarms, topics and connections to GitHub: what neighbouring services keep for deployments.

use std::collections::HashMap;

use askama::Template;
use model::Timestamp;
use wire::codedeploy::ListGitHubAccountTokenNamesInput;

use crate::cloudwatch::alarms::{self, AlarmRecord, AlarmState};
use crate::http::body::Response;
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
    let rows = found.into_iter().map(|kept| AlarmRow {
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

/// Topics with who is subscribed to them.
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
    answer::page(&Topics { frame: Frame::of(visit, Section::Topics, "Topics"), rows })
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
