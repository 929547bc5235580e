//! One request from its head to its answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use model::arn::Scope;
use tracing::Instrument;
use wire::codedeploy::Operation;
use wire::commands::{AGENT_PLANS_HEADER, AGENT_VERSION_HEADER, Operation as CommandOperation};
use wire::longshore::{Operation as OwnOperation, SIGNING_NAMES};
use wire::sigv4::Dialect;
use wire::{ErrorCode, ServiceError, json11};

use super::audit::{self, Deed};
use super::auth::{Authenticator, Unverified, Verified};
use super::body::{self, ReadError, Response};
use super::form::FormService;
use super::metrics::{Metrics, Now, Served};
use super::permissions::{self, PermissionError};
use super::route::{CommandDialect, MonitoringProtocol, Route, route};
use super::throttle::Throttle;
use super::{commands, json, longshore, monitoring, own, respond};
use crate::alarms::{self, HookError};
use crate::app::{App, Call, Failure};
use crate::clock::Clock;
use crate::cloudwatch;
use crate::console::{self, Console};
use crate::driver::chain;
use crate::forms::{ApiError, Context, Records};
use crate::histogram::Latencies;
use crate::hosts::{Agent, Hosts};
use crate::iam::policy::Facts;
use crate::iam::{AuthorizeError, Keyring, authorize};
use crate::notifications::{DeliveryCounts, Outside, Postman, RolloutCounts};
use crate::performer::Performer;
use crate::s3::S3Service;
use crate::signer::Signer;
use crate::sns;
use crate::trace;

/// Where Alertmanager sends alerts, below `/-/`; the rest of the path is a source's token.
const HOOK: &str = "hooks/alertmanager/";

/// Everything that answers requests.
pub struct Edge {
    /// CodeDeploy's operations.
    pub app: App,
    /// The agents' command service.
    pub hosts: Hosts,
    /// S3.
    pub s3: S3Service,
    /// Verifies signatures.
    pub authenticator: Authenticator,
    /// The access keys.
    pub keyring: Arc<Keyring>,
    /// The neighbouring services' records.
    pub records: Records,
    /// Makes local instances, if this server has any.
    pub performer: Option<Arc<Performer>>,
    /// Signs deployment specifications.
    pub signer: Arc<Signer>,
    /// Tells the time.
    pub clock: Clock,
    /// The installation's account.
    pub account: String,
    /// Counts what was asked.
    pub metrics: Metrics,
    /// Counts what was delivered.
    pub deliveries: Arc<DeliveryCounts>,
    /// Counts what became of deployments.
    pub rollouts: Arc<RolloutCounts>,
    /// Counts how long things take.
    pub latencies: Arc<Latencies>,
    /// Signs and delivers notifications.
    pub postman: Postman,
    /// How others are reached, and how they reach this server.
    pub outside: Arc<Outside>,
    /// Limits how often CodeDeploy is asked.
    pub throttle: Throttle,
    /// What people see.
    pub console: Console,
}

/// A request that has been read, and what its answer will be labelled with.
struct Received {
    head: Parts,
    body: Bytes,
    source: IpAddr,
    request_id: String,
}

impl Edge {
    /// Answers one request, always.
    pub async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let (head, body) = request.into_parts();
        let route = route(&head);
        let request_id = uuid::Uuid::new_v4().to_string();
        // Who is asked by nobody but probes and scrapers does not fill logs and traces; those that name their requests
        // themselves tell the name.
        let span = match &route {
            Route::Own(path) if console::is_ours(path) => trace::request(&head, &route, None),
            Route::S3 => trace::request(&head, &route, None),
            Route::Own(path) if !path.starts_with(HOOK) => tracing::Span::none(),
            _ => trace::request(&head, &route, Some(&request_id)),
        };
        let answer =
            self.routed(route, head, body, peer, request_id).instrument(span.clone()).await;
        trace::tell_status(&span, answer.status());
        span.in_scope(|| tracing::debug!("answered"));
        answer
    }

    /// Each kind of answer is in a box of its own: otherwise each poll that waits, and ten thousand do, would take the room of the
    /// largest of them.
    async fn routed(
        self: Arc<Self>,
        route: Route,
        head: Parts,
        body: Incoming,
        peer: SocketAddr,
        request_id: String,
    ) -> Response {
        match route {
            Route::Own(path) if console::is_ours(&path) => {
                return Box::pin(console::answer(&self, head, body, peer)).await;
            }
            Route::Own(ref path) if head.method == Method::POST && path.starts_with(HOOK) => {}
            Route::Own(path) => return Box::pin(self.own(&head, &path)).await,
            Route::Visitor => return own::welcome(&head.headers),
            Route::S3 => return Box::pin(self.s3(Request::from_parts(head, body))).await,
            Route::CodeDeploy(_)
            | Route::Commands { .. }
            | Route::Longshore { .. }
            | Route::Monitoring { .. }
            | Route::UnknownTarget(_)
            | Route::Form { .. } => {}
        }
        let body = match body::read(body, head.headers.contains_key(EXPECT)).await {
            Ok(body) => body,
            Err(error) => return self.unread(&route, &error, &request_id),
        };
        let received = Received { head, body, source: peer.ip(), request_id };
        match route {
            Route::CodeDeploy(operation) => Box::pin(self.codedeploy(&received, &operation)).await,
            Route::Commands { operation, dialect } => {
                Box::pin(self.commands(&received, &operation, dialect)).await
            }
            Route::Longshore { operation, scope_service } => {
                Box::pin(self.longshore(&received, &operation, scope_service.as_deref())).await
            }
            Route::Monitoring { operation, protocol } => {
                Box::pin(self.monitoring(&received, &operation, protocol)).await
            }
            Route::Form { scope_service } => {
                Box::pin(self.form(&received, scope_service.as_deref())).await
            }
            Route::UnknownTarget(target) => self.unknown_target(&received, &target),
            Route::Own(path) => Box::pin(self.alertmanager(&received, &path)).await,
            Route::Visitor | Route::S3 => own::welcome(&received.head.headers),
        }
    }

    async fn own(&self, head: &Parts, path: &str) -> Response {
        let healthy = path != "healthz" || self.app.is_healthy().await;
        let signing_pem =
            if path == own::SIGNING_PEM { self.postman.certificate_pem().await.ok() } else { None };
        let facts = own::Facts {
            healthy,
            metrics: if path == own::METRICS { self.metrics_text().await } else { String::new() },
            signer_pem: self.signer.certificate_pem(),
            signing_pem,
        };
        own::answer(&head.method, path, &facts)
    }

    /// Every metric. What only the database could tell is left out while it does not answer.
    async fn metrics_text(&self) -> String {
        let began = Instant::now();
        let gauges = self.app.store.gauges().await;
        if let Err(error) = &gauges {
            tracing::warn!(error = chain(error), "the store could not be counted");
        }
        let now = Now {
            connected: self.hosts.connected(),
            store: gauges.ok().map(|gauges| (gauges, began.elapsed())),
        };
        let counted = [
            self.metrics.text(),
            self.rollouts.text(),
            self.latencies.text(),
            self.deliveries.text(),
        ];
        now.text() + &counted.concat()
    }

    /// Takes in what Alertmanager sends to an alarm source.
    async fn alertmanager(&self, received: &Received, path: &str) -> Response {
        let token = path.strip_prefix(HOOK).unwrap_or_default();
        let now = self.clock.now();
        let (status, text) = match alarms::alertmanager(&self.records, token, &received.body, now)
            .await
        {
            Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
            Err(error @ HookError::UnknownToken) => (StatusCode::NOT_FOUND, format!("{error}\n")),
            Err(error @ (HookError::Body(_) | HookError::TooMany)) => {
                (StatusCode::BAD_REQUEST, format!("{error}\n"))
            }
            Err(error) => {
                let request_id = &received.request_id;
                tracing::error!(error = chain(&error), "an alert was not taken in");
                (StatusCode::INTERNAL_SERVER_ERROR, format!("see the log under {request_id}\n"))
            }
        };
        self.metrics.count("alertmanager", "Hook", status.as_u16(), Served::Yes);
        respond::with_status(status, body::full(text))
    }

    async fn s3(&self, request: Request<Incoming>) -> Response {
        let method = request.method().to_string();
        let response = self.s3.handle(request).await;
        self.metrics.count("s3", &method, response.status().as_u16(), Served::Yes);
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    async fn codedeploy(&self, received: &Received, name: &str) -> Response {
        let Some(operation) = Operation::from_name(name) else {
            return self.unknown_operation("codedeploy", name, received);
        };
        let outcome = self.answer_codedeploy(received, operation).await;
        self.answered("codedeploy", name, outcome, received)
    }

    async fn answer_codedeploy(
        &self,
        received: &Received,
        operation: Operation,
    ) -> Result<Vec<u8>, Failure> {
        let call = self.json_call(received, "codedeploy").await?;
        self.throttle.admit(&call.principal(), operation, call.now)?;
        self.codedeploy_call(&call, operation, &received.body, &received.request_id).await
    }

    /// Answers one call of CodeDeploy by a known caller: asks the policies, does it, and writes it down if it was to
    /// change something.
    ///
    /// # Errors
    /// Those of the operation.
    pub async fn codedeploy_call(
        &self,
        call: &Call,
        operation: Operation,
        body: &[u8],
        request_id: &str,
    ) -> Result<Vec<u8>, Failure> {
        let answer = self.permitted_answer(call, operation, body).await;
        if audit::changes_something(operation.name()) {
            let deed = audit::subject_of("codedeploy", operation.name(), body);
            self.write_down(call, &deed, audit::outcome(&answer), request_id).await;
        }
        answer
    }

    async fn permitted_answer(
        &self,
        call: &Call,
        operation: Operation,
        body: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let context = self.context(&call.scope);
        permissions::check(&context, &self.app.store, &call.caller, operation, body)
            .await
            .map_err(refused_permission)?;
        json::answer(&self.app, call, operation, body).await
    }

    async fn longshore(
        &self,
        received: &Received,
        name: &str,
        scope_service: Option<&str>,
    ) -> Response {
        let Some(operation) = OwnOperation::from_name(name) else {
            return self.unknown_operation("longshore", name, received);
        };
        let outcome = self.answer_longshore(received, operation, scope_service).await;
        self.answered("longshore", name, outcome, received)
    }

    async fn answer_longshore(
        &self,
        received: &Received,
        operation: OwnOperation,
        scope_service: Option<&str>,
    ) -> Result<Vec<u8>, Failure> {
        let signed_for = SIGNING_NAMES.into_iter().find(|name| scope_service == Some(*name));
        let call = self.json_call(received, signed_for.unwrap_or(SIGNING_NAMES[0])).await?;
        self.longshore_call(&call, operation, &received.body, &received.request_id).await
    }

    /// Answers one call of longshore's own service by a known caller, as [`Edge::codedeploy_call`] does.
    ///
    /// # Errors
    /// Those of the operation.
    pub async fn longshore_call(
        &self,
        call: &Call,
        operation: OwnOperation,
        body: &[u8],
        request_id: &str,
    ) -> Result<Vec<u8>, Failure> {
        let answer = self.permitted_own_answer(call, operation, body).await;
        if audit::changes_something(operation.name()) {
            let deed = audit::subject_of("longshore", operation.name(), body);
            self.write_down(call, &deed, audit::outcome(&answer), request_id).await;
        }
        answer
    }

    async fn permitted_own_answer(
        &self,
        call: &Call,
        operation: OwnOperation,
        body: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let context = self.context(&call.scope);
        permissions::check_own(&context, &self.app.store, &call.caller, operation, body)
            .await
            .map_err(refused_permission)?;
        longshore::answer(&self.app, &context, call, operation, body).await
    }

    async fn commands(&self, received: &Received, name: &str, dialect: CommandDialect) -> Response {
        let Some(operation) = CommandOperation::from_name(name) else {
            return self.unknown_operation("codedeploy-commands", name, received);
        };
        let outcome = self.answer_commands(received, operation, dialect).await;
        self.answered("codedeploy-commands", name, outcome, received)
    }

    async fn answer_commands(
        &self,
        received: &Received,
        operation: CommandOperation,
        dialect: CommandDialect,
    ) -> Result<Vec<u8>, Failure> {
        let call = self.json_call(received, dialect.scope_service()).await?;
        if dialect == CommandDialect::Secure {
            let context = self.context(&call.scope);
            let action = format!("codedeploy-commands-secure:{}", permitting(operation).name());
            authorize(&context, &call.caller, &action, "*", Facts::default())
                .await
                .map_err(|error| refused_permission(error.into()))?;
        }
        let headers = &received.head.headers;
        let version = headers.get(AGENT_VERSION_HEADER).and_then(|version| version.to_str().ok());
        let agent = Agent { version, takes_plans: headers.contains_key(AGENT_PLANS_HEADER) };
        commands::answer(&self.hosts, &call, operation, &received.body, &agent).await
    }

    /// Verifies a request of a JSON service.
    async fn json_call(&self, received: &Received, service: &str) -> Result<Call, Failure> {
        let verified = self.verify(received, service).await.map_err(refused_signature)?;
        let content_type = received.head.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !json11::is_content_type(content_type) {
            let shown: String = content_type.chars().take(100).collect();
            return Err(Failure::refused(
                ErrorCode::Serialization,
                format!("The content type `{shown}` is not {}", json11::CONTENT_TYPE),
            ));
        }
        Ok(Call {
            caller: verified.caller,
            scope: Scope { account: self.account.clone(), region: verified.region },
            now: self.clock.now(),
        })
    }

    async fn verify(&self, received: &Received, service: &str) -> Result<Verified, Unverified> {
        let now = self.clock.now();
        self.authenticator
            .verify(&received.head, &received.body, service, received.source, now)
            .await
    }

    fn answered(
        &self,
        service: &'static str,
        operation: &str,
        outcome: Result<Vec<u8>, Failure>,
        received: &Received,
    ) -> Response {
        let request_id = &received.request_id;
        let response = match outcome {
            Ok(body) => respond::json(body, request_id),
            Err(Failure::Refused(error)) => respond::json_error(&error, request_id),
            Err(failure) => {
                tracing::error!(error = chain(&failure), "failed");
                let told = respond::internal_failure(&failure, request_id);
                respond::json_error(&told, request_id)
            }
        };
        self.metrics.count(service, operation, response.status().as_u16(), Served::Yes);
        response
    }

    async fn monitoring(
        &self,
        received: &Received,
        operation: &str,
        protocol: MonitoringProtocol,
    ) -> Response {
        let request_id = &received.request_id;
        let outcome = self.answer_monitoring(received, operation, protocol).await;
        if let Err(ApiError { cause: Some(cause), .. }) = &outcome {
            tracing::error!(error = chain(&**cause), "failed");
        }
        let served = match &outcome {
            Err(error) if error.code == "InvalidAction" => Served::No,
            Ok(_) | Err(_) => Served::Yes,
        };
        let response = monitoring::respond(protocol, &outcome, request_id);
        self.metrics.count("monitoring", operation, response.status().as_u16(), served);
        response
    }

    async fn answer_monitoring(
        &self,
        received: &Received,
        operation: &str,
        protocol: MonitoringProtocol,
    ) -> Result<serde_json::Value, ApiError> {
        let verified = self.verify(received, "monitoring").await;
        let verified = verified.map_err(|error| form_refusal(error, Dialect::Json))?;
        let input = monitoring::read(protocol, &received.body)?;
        let scope = Scope { account: self.account.clone(), region: verified.region };
        let caller = verified.caller;
        let answer = cloudwatch::handle(&self.context(&scope), &caller, operation, &input).await;
        if audit::changes_something(operation) {
            let named = input.read().unwrap_or(serde_json::Value::Null);
            let deed = audit::subject("monitoring", operation, &named);
            let call = Call { caller, scope, now: self.clock.now() };
            self.write_down(&call, &deed, outcome_of(&answer), &received.request_id).await;
        }
        answer
    }

    async fn form(&self, received: &Received, scope_service: Option<&str>) -> Response {
        let form = form_of(received);
        let pair = |name: &str| wire_pair(form, name);
        let (action, version) = (pair("Action").unwrap_or_default(), pair("Version"));
        let unsigned_link = scope_service.is_none() && sns::may_be_unsigned(&action);
        let service = if unsigned_link {
            FormService::Sns
        } else {
            FormService::find(scope_service, version.as_deref())
        };
        trace::tell_operation(service.name(), &action);
        let request_id = &received.request_id;
        let (status, document) = match self.answer_form(received, service, &action, form).await {
            Ok(document) => (200, document),
            Err(error) => {
                if let Some(cause) = &error.cause {
                    tracing::error!(error = chain(&**cause), "failed");
                }
                (error.status, service.error(&error, request_id))
            }
        };
        let served =
            if document.contains("<Code>InvalidAction</Code>") { Served::No } else { Served::Yes };
        self.metrics.count(service.name(), &action, status, served);
        respond::xml(status, document, request_id)
    }

    async fn answer_form(
        &self,
        received: &Received,
        service: FormService,
        action: &str,
        form: &[u8],
    ) -> Result<String, ApiError> {
        let tree = service.parse(form)?;
        if !is_signed(&received.head) && service == FormService::Sns && sns::may_be_unsigned(action)
        {
            // A link names what it is about by its ARN: no region is needed.
            let scope = Scope { account: self.account.clone(), region: String::new() };
            let context = self.context(&scope);
            return FormService::visit(&context, action, &tree, &received.request_id).await;
        }
        let verified = self.verify(received, service.name()).await;
        let verified = verified.map_err(|error| form_refusal(error, service.dialect()))?;
        if action.is_empty() {
            return Err(ApiError::client("MissingAction", "The request has no Action."));
        }
        let scope = Scope { account: self.account.clone(), region: verified.region };
        let context = self.context(&scope);
        let request_id = &received.request_id;
        let answer = service.answer(&context, &verified.caller, action, &tree, request_id).await;
        // Sessions come and go with every role that an instance has.
        if audit::changes_something(action) && service.name() != "sts" {
            let call = Call { caller: verified.caller, scope, now: self.clock.now() };
            let (service, resource) = (service.name(), audit::form_subject(form));
            let deed = Deed { service, operation: action, resource };
            self.write_down(&call, &deed, outcome_of(&answer), request_id).await;
        }
        answer
    }

    /// What the services work with in a region.
    pub fn context(&self, scope: &Scope) -> Context {
        Context {
            records: self.records.clone(),
            keyring: Arc::clone(&self.keyring),
            performer: self.performer.clone(),
            outside: Arc::clone(&self.outside),
            scope: scope.clone(),
            now: self.clock.now(),
        }
    }

    fn unknown_target(&self, received: &Received, target: &str) -> Response {
        let operation = target.rsplit_once('.').map_or("", |(_, operation)| operation);
        self.unknown_operation("unknown", operation, received)
    }

    fn unknown_operation(
        &self,
        service: &'static str,
        name: &str,
        received: &Received,
    ) -> Response {
        let shown: String = name.chars().take(100).collect();
        let error = ServiceError::new(
            ErrorCode::UnknownOperation,
            format!("The operation {shown} is not served by this server"),
        );
        self.metrics.count(service, name, error.code.status(), Served::No);
        respond::json_error(&error, &received.request_id)
    }

    fn unread(&self, route: &Route, error: &ReadError, request_id: &str) -> Response {
        let status = match error {
            ReadError::TooLarge => 413,
            ReadError::TooSlow => 408,
            ReadError::Broken(_) => 400,
        };
        if let Route::Own(_) = route {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            return respond::with_status(status, body::full(format!("{error}\n")));
        }
        if let Route::Form { scope_service } = route {
            let service = FormService::find(scope_service.as_deref(), None);
            let error = ApiError::new(status, "RequestEntityTooLarge", error.to_string());
            return respond::xml(status, service.error(&error, request_id), request_id);
        }
        if let Route::Monitoring { protocol, .. } = route {
            let error = ApiError::new(status, "RequestEntityTooLarge", error.to_string());
            return monitoring::respond(*protocol, &Err(error), request_id);
        }
        let code = match error {
            ReadError::TooLarge => ErrorCode::RequestEntityTooLarge,
            ReadError::TooSlow | ReadError::Broken(_) => ErrorCode::Serialization,
        };
        respond::json_error(&ServiceError::new(code, error.to_string()), request_id)
    }
}

/// What became of a call, for the audit trail.
fn outcome_of<T>(answer: &Result<T, ApiError>) -> &str {
    answer.as_ref().map_or_else(|error| &*error.code, |_| "Succeeded")
}

/// The operation whose permission a call of an agent needs: policies that were written for AWS know no others. Whoever may
/// say how a command ended may also say what it printed, and what one would do.
fn permitting(operation: CommandOperation) -> CommandOperation {
    match operation {
        CommandOperation::PutHostCommandOutput | CommandOperation::PutHostPlan => {
            CommandOperation::PutHostCommandComplete
        }
        other => other,
    }
}

/// Whether anything claims that somebody signed the request.
fn is_signed(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    head.headers.contains_key(AUTHORIZATION) || query.contains("X-Amz-Credential=")
}

/// The pairs of a form: the body, or the query of a GET.
fn form_of(received: &Received) -> &[u8] {
    if received.head.method == http::Method::GET {
        received.head.uri.query().unwrap_or_default().as_bytes()
    } else {
        &received.body
    }
}

/// The first value of `name`, which needs no unfolding of the rest.
fn wire_pair(form: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let value = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    Some(value.into_owned())
}

fn refused_signature(error: Unverified) -> Failure {
    match error {
        Unverified::Refused(error) => {
            let refusal = error.refusal(Dialect::Json);
            let code = ErrorCode::from_name(refusal.code).unwrap_or(ErrorCode::InvalidSignature);
            Failure::refused(code, refusal.message)
        }
        Unverified::Unknown(error) => Failure::internal("the access keys cannot be read", error),
    }
}

fn refused_permission(error: PermissionError) -> Failure {
    match error {
        PermissionError::Authorize(AuthorizeError::Denied(denied)) => {
            Failure::refused(ErrorCode::AccessDenied, denied.to_string())
        }
        PermissionError::Authorize(AuthorizeError::Unknown(error)) => {
            Failure::internal("the caller's policies cannot be read", error)
        }
        PermissionError::Store(error) => error.into(),
    }
}

fn form_refusal(error: Unverified, dialect: Dialect) -> ApiError {
    match error {
        Unverified::Refused(error) => {
            let refusal = error.refusal(dialect);
            ApiError::new(refusal.status, refusal.code, refusal.message)
        }
        Unverified::Unknown(error) => ApiError::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_is_found_wherever_it_stands() {
        let form = b"Version=2010-05-08&Action=List%55sers&ActionX=y";
        assert_eq!(wire_pair(form, "Action").as_deref(), Some("ListUsers"));
        assert_eq!(wire_pair(form, "Version").as_deref(), Some("2010-05-08"));
        assert_eq!(wire_pair(b"\xff", "Action"), None);
    }
}
