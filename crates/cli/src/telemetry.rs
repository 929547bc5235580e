//! Spans for an OpenTelemetry collector, where the settings name one.
//!
//! They are sent from a thread of their own, in batches; what does not fit its queue is dropped. A collector that is away
//! costs no request anything.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use tokio::runtime::Handle;

use crate::client::HttpsClient;

/// How long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the last spans may take when the server ends.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// The largest answer of a collector that is read.
const ANSWER_MAX: usize = 1 << 20;

/// Spans on their way to a collector; those that were not sent yet are sent by [`Self::finish`].
pub struct Spans(SdkTracerProvider);

impl Spans {
    /// Spans to the collector that is named by `endpoint`, a base URL as of `OTEL_EXPORTER_OTLP_ENDPOINT`, or else by the
    /// standard variables; nothing where neither names one, or the variables turn tracing off. What is sent is sent by
    /// the tasks of `runtime`.
    ///
    /// # Errors
    /// What is named is no URL, or there are no certificate authorities.
    pub fn wanted(endpoint: Option<&str>, runtime: &Handle) -> anyhow::Result<Option<Self>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if !is_wanted(endpoint, &variable) {
            return Ok(None);
        }
        let sender = Sender {
            http: HttpsClient::new()?,
            runtime: runtime.clone(),
            is_failing: AtomicBool::new(false),
        };
        let mut exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
            .with_http_client(sender);
        if let Some(endpoint) = endpoint {
            exporter =
                exporter.with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')));
        }
        let exporter = exporter.build().context("spans cannot be exported")?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Conventional(exporter))
            .with_resource(resource(&variable))
            .build();
        Ok(Some(Self(provider)))
    }

    /// Where spans are begun.
    pub fn tracer(&self) -> SdkTracer {
        self.0.tracer("longshore")
    }

    /// Sends what was not sent yet. To be called while the runtime runs, and not by one of its tasks.
    pub fn finish(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_WORDS) {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

fn is_wanted(endpoint: Option<&str>, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let is = |name: &str, value: &str| {
        variable(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    };
    let named = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let is_named = endpoint.is_some() || named.iter().any(|name| variable(name).is_some());
    is_named && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

/// What all spans are of. The environment may name the service otherwise.
fn resource(variable: &dyn Fn(&str) -> Option<String>) -> Resource {
    let is_named = variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|all| all.contains("service.name="));
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named { resource.build() } else { resource.with_service_name("longshore").build() }
}

/// Sends what the exporter hands it, with the runtime's tasks: the exporter's thread has none.
struct Sender {
    http: HttpsClient,
    runtime: Handle,
    is_failing: AtomicBool,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let place = request.uri().to_string();
        let answer = self.http.request(request.map(Full::new));
        let exchange = async move {
            let (head, body) = answer.await?.into_parts();
            let body = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(head, body))
        };
        let exchange = self.runtime.spawn(async { tokio::time::timeout(PATIENCE, exchange).await });
        let outcome = match exchange.await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => Err(format!("no answer within {} s", PATIENCE.as_secs()).into()),
            Err(error) => Err(error.into()),
        };
        let problem = match &outcome {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("HTTP {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        self.report(&place, problem.as_deref());
        outcome
    }
}

impl Sender {
    /// Tells the log once that a collector fails, and once that it no longer does.
    fn report(&self, place: &str, problem: Option<&str>) {
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(error) if !was_failing => {
                tracing::warn!(collector = place, error, "spans are not exported, and lost");
            }
            None if was_failing => tracing::info!(collector = place, "spans are exported again"),
            Some(_) | None => {}
        }
    }
}

/// Names spans and their attributes as OpenTelemetry's conventions do; in the log they have short names.
/// Source: OpenTelemetry semantic conventions, "HTTP", "RPC" and "AWS SDK".
#[derive(Debug)]
struct Conventional<E>(E);

impl<E: SpanExporter> SpanExporter for Conventional<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.iter_mut().for_each(rename);
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn rename(span: &mut SpanData) {
    let mut operation = None;
    for attribute in &mut span.attributes {
        let name = match attribute.key.as_str() {
            "method" => "http.request.method",
            "status" => "http.response.status_code",
            "service" => "rpc.service",
            "operation" => {
                operation = Some(attribute.value.as_str().into_owned());
                "rpc.method"
            }
            "request_id" => "aws.request_id",
            "deployment" => "longshore.deployment",
            _ => continue,
        };
        attribute.key = Key::from_static_str(name);
        if let (true, Value::I64(500..)) = (name == "http.response.status_code", &attribute.value) {
            span.status = Status::error("");
        }
    }
    if span.name == "request" {
        span.span_kind = SpanKind::Server;
        if let Some(operation) = operation {
            span.name = operation.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_wanted_where_a_collector_is_named_and_nobody_turned_them_off() {
        let check = |endpoint: Option<&str>, set: &[(&str, &str)]| {
            is_wanted(endpoint, &|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        assert!(!check(None, &[]));
        assert!(check(Some("http://collector:4318"), &[]));
        assert!(check(None, &[named]));
        assert!(check(None, &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/v1/traces")]));
        assert!(!check(None, &[named, ("OTEL_SDK_DISABLED", "TRUE")]));
        assert!(!check(Some("http://c"), &[("OTEL_TRACES_EXPORTER", "none")]));
    }
}
