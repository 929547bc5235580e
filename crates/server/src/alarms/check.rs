//! One check of a source: the request, and what its answer means.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::prometheus;
use super::source::{HttpCheck, What};
use crate::cloudwatch::alarms::AlarmState;
use crate::driver::chain;
use crate::outbound::{Outbound, OutboundError, Outgoing};

/// How long Prometheus may take: its own default limit for queries is 2 minutes, an alarm cannot wait for that.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer to a query, or of a health check, that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What a check says of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// The alarm has this state, for this reason.
    State(AlarmState, String),
    /// What was checked is not well; whether that is an alarm depends on the checks before.
    Failure(String),
    /// Whether it is well could not be found out.
    Unreadable(String),
}

/// Asks a source; none for one that tells by itself.
pub(super) async fn ask(outbound: &Outbound, what: &What) -> Option<Finding> {
    match what {
        What::Prometheus { url, query, rule, .. } => {
            let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
            let url = format!("{}/api/v1/query?query={query}", url.trim_end_matches('/'));
            let answer = outbound.send(get(url, QUERY_TIMEOUT)).await;
            Some(match answer {
                Ok(answer) => prometheus::judge(answer.status, &answer.body, rule),
                Err(error) => Finding::Unreadable(chain(&error)),
            })
        }
        What::Http(check) => Some(ask_http(outbound, check).await),
        What::Alertmanager(_) => None,
    }
}

async fn ask_http(outbound: &Outbound, check: &HttpCheck) -> Finding {
    let timeout = Duration::from_secs(check.timeout_seconds.into());
    match outbound.send(get(check.url.clone(), timeout)).await {
        Ok(answer) if answer.status == check.status => {
            Finding::State(AlarmState::Ok, format!("It answered HTTP {}", answer.status))
        }
        Ok(answer) => {
            Finding::Failure(format!("it answered HTTP {}, not {}", answer.status, check.status))
        }
        // Our own rules about where requests may go say nothing about what is there.
        Err(error @ (OutboundError::Forbidden { .. } | OutboundError::Url { .. })) => {
            Finding::Unreadable(chain(&error))
        }
        Err(error) => Finding::Failure(chain(&error)),
    }
}

fn get(url: String, timeout: Duration) -> Outgoing {
    let (method, headers, body) = (Method::GET, Vec::new(), Bytes::new());
    Outgoing { method, url, headers, body, timeout, answer_bytes_max: ANSWER_BYTES_MAX }
}
