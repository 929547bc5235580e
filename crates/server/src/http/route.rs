//! Which service a request is for, by its shape alone. Nothing here is verified yet.

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use wire::monitoring;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Longshore's own paths, under `/-/`; the rest of the path.
    Own(String),
    /// CodeDeploy over JSON 1.1; the operation's name.
    CodeDeploy(String),
    /// The agents' command service over JSON 1.1; the operation's name.
    Commands { operation: String, dialect: CommandDialect },
    /// Longshore's own service over JSON 1.1; the operation's name, and the signing name of the request.
    Longshore { operation: String, scope_service: Option<String> },
    /// CloudWatch over JSON 1.0 or CBOR; the operation's name.
    Monitoring { operation: String, protocol: MonitoringProtocol },
    /// A target header that names no service here.
    UnknownTarget(String),
    /// A form service (EC2, IAM, STS, …) with the service of the credential scope, if the request is signed.
    Form { scope_service: Option<String> },
    /// Somebody looks at `/` without credentials: a browser, or the official agent testing its endpoint.
    Visitor,
    /// S3: everything else.
    S3,
}

/// In which of its newer protocols CloudWatch is asked; forms are the older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonitoringProtocol {
    Json,
    Cbor,
}

/// Which of its two names the agent used for the command service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandDialect {
    Plain,
    /// `:enable_auth_policy:` on the agent: the calls are checked against policies too.
    Secure,
}

impl CommandDialect {
    /// The service in the credential scope of signed calls.
    pub const fn scope_service(self) -> &'static str {
        match self {
            Self::Plain => "codedeploy-commands",
            Self::Secure => "codedeploy-commands-secure",
        }
    }
}

const CODEDEPLOY: &str = "CodeDeploy_20141006";
const COMMANDS: &str = "CodeDeployCommandService_v20141006";
const LONGSHORE: &str = wire::longshore::TARGET_PREFIX;
const COMMANDS_SECURE: &str = "CodeDeployCommandService";

/// Where the request with this head goes.
pub fn route(head: &Parts) -> Route {
    let scope_service = scope_service(head);
    if let Some(rest) = head.uri.path().strip_prefix("/-/")
        && scope_service.as_deref() != Some("s3")
    {
        return Route::Own(rest.to_owned());
    }
    if head
        .headers
        .get(monitoring::PROTOCOL_HEADER)
        .is_some_and(|value| value == monitoring::PROTOCOL)
        && let Some(("", rest)) = head.uri.path().split_once("/service/")
        && let Some((monitoring::SERVICE, operation)) = rest.split_once("/operation/")
    {
        let operation = operation.to_owned();
        return Route::Monitoring { operation, protocol: MonitoringProtocol::Cbor };
    }
    if let Some(target) = head.headers.get("x-amz-target") {
        return by_target(&String::from_utf8_lossy(target.as_bytes()), scope_service);
    }
    if scope_service.as_deref() == Some("s3") {
        return Route::S3;
    }
    if is_form(head) {
        return Route::Form { scope_service };
    }
    let looks = head.method == Method::GET || head.method == Method::HEAD;
    if looks && head.uri.path() == "/" && head.uri.query().is_none() && scope_service.is_none() {
        return Route::Visitor;
    }
    Route::S3
}

fn by_target(target: &str, scope_service: Option<String>) -> Route {
    match target.rsplit_once('.') {
        Some((CODEDEPLOY, operation)) => Route::CodeDeploy(operation.to_owned()),
        Some((COMMANDS, operation)) => {
            Route::Commands { operation: operation.to_owned(), dialect: CommandDialect::Plain }
        }
        Some((COMMANDS_SECURE, operation)) => {
            Route::Commands { operation: operation.to_owned(), dialect: CommandDialect::Secure }
        }
        Some((LONGSHORE, operation)) => {
            Route::Longshore { operation: operation.to_owned(), scope_service }
        }
        Some((monitoring::SERVICE, operation)) => Route::Monitoring {
            operation: operation.to_owned(),
            protocol: MonitoringProtocol::Json,
        },
        _ => Route::UnknownTarget(target.to_owned()),
    }
}

fn is_form(head: &Parts) -> bool {
    if head.method == Method::POST {
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        return content_type.is_some_and(is_form_content_type);
    }
    head.method == Method::GET && query_value(head.uri.query(), "Action").is_some()
}

fn is_form_content_type(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The service of the credential scope, from the `Authorization` header or from a presigned query.
fn scope_service(head: &Parts) -> Option<String> {
    let header = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = match header {
        Some(header) => {
            let (_, rest) = header.split_once("Credential=")?;
            rest.split([',', ' ']).next()?.to_owned()
        }
        None => query_value(head.uri.query(), "X-Amz-Credential")?,
    };
    // From the right: an access key id may hold anything, the scope may not.
    credential.rsplit('/').nth(1).map(str::to_owned)
}

fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `METHOD uri | header: value | header: value`
    fn check(request: &str, expected: &Route) {
        let mut parts = request.split(" | ");
        let (method, uri) = parts.next().unwrap().split_once(' ').unwrap();
        let mut builder = http::Request::builder().method(method).uri(uri);
        for header in parts {
            let (name, value) = header.split_once(": ").unwrap();
            builder = builder.header(name, value);
        }
        let (head, ()) = builder.body(()).unwrap().into_parts();
        assert_eq!(&route(&head), expected, "{request}");
    }

    fn signed(service: &str) -> String {
        format!(
            "authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    #[test]
    fn json_services_are_known_by_their_target() {
        check(
            "POST / | x-amz-target: CodeDeploy_20141006.ListApplications",
            &Route::CodeDeploy("ListApplications".into()),
        );
        let poll = |dialect| Route::Commands { operation: "PollHostCommand".into(), dialect };
        check(
            "POST / | x-amz-target: CodeDeployCommandService_v20141006.PollHostCommand",
            &poll(CommandDialect::Plain),
        );
        check(
            "POST / | x-amz-target: CodeDeployCommandService.PollHostCommand",
            &poll(CommandDialect::Secure),
        );
        for (signature, scope_service) in [
            (String::new(), None),
            (format!(" | {}", signed("codedeploy")), Some("codedeploy".to_owned())),
        ] {
            check(
                &format!("POST / | x-amz-target: Longshore_20261124.GetHookOutput{signature}"),
                &Route::Longshore { operation: "GetHookOutput".into(), scope_service },
            );
        }
        check(
            "POST / | x-amz-target: Nobody.Nothing",
            &Route::UnknownTarget("Nobody.Nothing".into()),
        );
    }

    #[test]
    fn cloudwatch_is_known_in_each_of_its_protocols() {
        let route = |protocol| Route::Monitoring { operation: "PutMetricAlarm".into(), protocol };
        check(
            "POST / | x-amz-target: GraniteServiceVersion20100801.PutMetricAlarm",
            &route(MonitoringProtocol::Json),
        );
        let path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm";
        check(
            &format!("POST {path} | smithy-protocol: rpc-v2-cbor"),
            &route(MonitoringProtocol::Cbor),
        );
        check(&format!("POST {path} | {}", signed("s3")), &Route::S3);
    }

    #[test]
    fn form_services_are_known_by_their_content_type_or_action() {
        let ec2 = Route::Form { scope_service: Some("ec2".into()) };
        let form = "content-type: application/x-www-form-urlencoded; charset=utf-8";
        check(&format!("POST / | {form} | {}", signed("ec2")), &ec2);
        check(&format!("GET /?Action=DescribeInstances | {}", signed("ec2")), &ec2);
        check(&format!("POST / | {form}"), &Route::Form { scope_service: None });
    }

    #[test]
    fn everything_else_is_s3_but_our_own_paths_and_visitors() {
        let form = "content-type: application/x-www-form-urlencoded";
        check(&format!("POST /b?uploads | {form} | {}", signed("s3")), &Route::S3);
        check("GET /bucket/key?AWSAccessKeyId=a&Signature=b&Expires=1", &Route::S3);
        check(
            "GET /b/k?X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
            &Route::S3,
        );
        check(&format!("GET / | {}", signed("s3")), &Route::S3);
        check("GET /", &Route::Visitor);
        check("GET /-/healthz", &Route::Own("healthz".into()));
        // In a bucket named by the host, a key may begin with `-/`.
        check(&format!("GET /-/key | host: b.localhost | {}", signed("s3")), &Route::S3);
    }
}
