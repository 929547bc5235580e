//! Published and captured vectors, and the properties that make a signature worth something.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const NOW: i64 = 1_440_938_160;
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SCOPE: Scope<'static> = Scope { region: "us-east-1", service: "codedeploy" };

/// A request with its signature, which a test may then spoil.
#[derive(Clone)]
struct Signed {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Signed {
    fn new(target: &str, body: &[u8], token: Option<&str>) -> Self {
        let host: (&str, &[u8]) = ("Host", b"127.0.0.1:7400");
        let headers = [
            host,
            ("Content-Type", b"application/x-amz-json-1.1"),
            ("X-Amz-Target", b"CodeDeploy_20141006.GetDeployment"),
        ];
        let request = Request { method: "POST", target, headers: &headers };
        let credentials = Credentials::new("AKIDEXAMPLE", SECRET, token.map(str::to_owned));
        let added = sign(&request, &credentials, SCOPE, NOW, &payload_hash(body));
        let mut headers: Vec<(String, Vec<u8>)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        headers
            .extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
        Self { method: "POST".into(), target: target.into(), headers, body: body.to_vec() }
    }

    fn check(&self, secret: &str, now: i64) -> Result<Claim, AuthError> {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = Request { method: &self.method, target: &self.target, headers: &headers };
        let claim = Claim::parse(&request)?;
        claim.check_service("codedeploy")?;
        let key = derive_key(secret, &claim.date, &claim.region, &claim.service);
        claim.verify(&key, &request, now, SKEW_SECONDS, &payload_hash(&self.body))?;
        Ok(claim)
    }

    fn header(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)).expect(name).1
    }

    fn edit(&self, name: &str, from: &str, to: &str) -> Self {
        let mut edited = self.clone();
        let value = String::from_utf8(edited.header(name).clone()).expect("text");
        assert!(value.contains(from), "{value}");
        *edited.header(name) = value.replace(from, to).into_bytes();
        edited
    }
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().expect("a text")
}

#[test]
fn the_vectors_hold() {
    let file: Value =
        serde_json::from_str(include_str!("../../tests/data/sigv4-vectors.json")).expect("JSON");
    let vectors = file["vectors"].as_array().expect("vectors");
    assert!(vectors.len() >= 20);
    for vector in vectors {
        let name = text(vector, "name");
        let headers = vector["headers"].as_array().expect("headers");
        let mut headers: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|h| (h[0].as_str().expect("name"), h[1].as_str().expect("value").as_bytes()))
            .collect();
        let mut target = text(vector, "target").to_owned();
        let (service, hash) = (text(vector, "service"), text(vector, "payload_hash"));
        let signed: Vec<&str> = text(vector, "signed_headers").split(';').collect();
        let request =
            Request { method: text(vector, "method"), target: &target, headers: &headers };
        let canonical = canonical::request(&request, service, &signed, hash);
        assert_eq!(
            String::from_utf8_lossy(&canonical),
            text(vector, "canonical_request"),
            "{name}"
        );

        // The same through the front door: with its signature, the request verifies.
        let string_to_sign = text(vector, "string_to_sign");
        let scope = string_to_sign.lines().nth(2).expect("a scope");
        let time = date::parse_basic(string_to_sign.lines().nth(1).expect("a time")).expect("time");
        let (access_key, signature) = (text(vector, "access_key"), text(vector, "signature"));
        let authorization = format!(
            "{ALGORITHM} Credential={access_key}/{scope},SignedHeaders={},Signature={signature}",
            signed.join(";")
        );
        if vector["presigned"] == true {
            target = format!("{target}&X-Amz-Signature={signature}");
        } else {
            headers.push(("Authorization", authorization.as_bytes()));
        }
        let request =
            Request { method: text(vector, "method"), target: &target, headers: &headers };
        let claim = Claim::parse(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((claim.access_key.as_str(), claim.service.as_str()), (access_key, service));
        let key = derive_key(text(vector, "secret_key"), &claim.date, &claim.region, service);
        let body = payload_hash(text(vector, "body").as_bytes());
        assert_eq!(claim.verify(&key, &request, time, SKEW_SECONDS, &body), Ok(()), "{name}");
        let other = derive_key("another", &claim.date, &claim.region, service);
        let outcome = claim.verify(&other, &request, time, SKEW_SECONDS, &body);
        assert_eq!(outcome, Err(AuthError::SignatureMismatch), "{name}");
    }
}

#[test]
fn what_signs_names_the_session_and_the_payload() {
    let signed = Signed::new("/", b"{}", Some("token=="));
    let claim = signed.check(SECRET, NOW).expect("valid");
    assert_eq!(claim.token.as_deref(), Some("token=="));
    assert_eq!((claim.date.as_str(), claim.region.as_str()), ("20150830", "us-east-1"));
    // Taking the token away must not leave a valid request of the bare key.
    let mut bare = signed;
    bare.headers.retain(|(name, _)| name != "x-amz-security-token");
    assert!(matches!(bare.check(SECRET, NOW), Err(AuthError::Malformed(_))));
}

#[test]
fn nothing_that_is_signed_can_be_altered() {
    let signed = Signed::new("/?x=1", b"{}", None);
    assert!(signed.check(SECRET, NOW).is_ok());
    let mismatch = Some(AuthError::SignatureMismatch);
    let target = signed.edit("X-Amz-Target", "GetDeployment", "StopDeployment");
    assert_eq!(target.check(SECRET, NOW).err(), mismatch);
    assert_eq!(signed.edit("Host", "7400", "7401").check(SECRET, NOW).err(), mismatch);
    assert_eq!(
        signed.edit("authorization", "us-east-1", "eu-west-1").check(SECRET, NOW).err(),
        mismatch
    );
    assert_eq!(
        Signed { target: "/?x=2".into(), ..signed.clone() }.check(SECRET, NOW).err(),
        mismatch
    );
    assert_eq!(
        Signed { method: "PUT".into(), ..signed.clone() }.check(SECRET, NOW).err(),
        mismatch
    );
    assert_eq!(signed.check("other", NOW).err(), mismatch);
    let body = Signed { body: b"[]".to_vec(), ..signed.clone() };
    assert_eq!(body.check(SECRET, NOW).err(), Some(AuthError::PayloadMismatch));
    let unsigned_body = signed.edit("x-amz-content-sha256", "4", "5");
    assert_eq!(unsigned_body.check(SECRET, NOW).err(), Some(AuthError::PayloadMismatch));
}

#[test]
fn the_body_counts_without_its_header_too() {
    let headers: [(&str, &[u8]); 2] = [("host", b"h"), ("x-amz-date", b"20150830T123600Z")];
    let request = Request { method: "POST", target: "/", headers: &headers };
    let names = ["host", "x-amz-date"];
    let canonical = canonical::request(&request, "iam", &names, &payload_hash(b"Action=A"));
    let key = derive_key(SECRET, "20150830", "us-east-1", "iam");
    let scope = "20150830/us-east-1/iam/aws4_request";
    let text = canonical::string_to_sign("20150830T123600Z", scope, &canonical);
    let authorization = format!(
        "{ALGORITHM} Credential=AK/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
        key.sign(text.as_bytes())
    );
    let mut headers = headers.to_vec();
    headers.push(("authorization", authorization.as_bytes()));
    let request = Request { headers: &headers, ..request };
    let claim = Claim::parse(&request).expect("a claim");
    let verify = |body: &[u8]| claim.verify(&key, &request, NOW, 300, &payload_hash(body));
    assert_eq!(verify(b"Action=A"), Ok(()));
    assert_eq!(verify(b"Action=B"), Err(AuthError::SignatureMismatch));
}

#[test]
fn a_request_is_good_for_five_minutes_either_way() {
    let signed = Signed::new("/", b"", None);
    assert!(signed.check(SECRET, NOW + 300).is_ok());
    assert!(signed.check(SECRET, NOW - 300).is_ok());
    let late = signed.check(SECRET, NOW + 301).expect_err("too late").to_string();
    assert_eq!(
        late,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    let early = signed.check(SECRET, NOW - 301).expect_err("too early").to_string();
    assert_eq!(
        early,
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
}

#[test]
fn a_claim_in_bad_form_is_told_from_a_wrong_one() {
    let signed = Signed::new("/", b"", None);
    let error = |from: &str, to: &str| {
        signed.edit("authorization", from, to).check(SECRET, NOW).expect_err("a bad claim")
    };
    assert!(matches!(error("20150830/", "20150831/"), AuthError::WrongDate { .. }));
    assert_eq!(
        error("/codedeploy/", "/s3/").to_string(),
        "Credential should be scoped to correct service: 'codedeploy'."
    );
    for (from, to) in [
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA1 "),
        ("AWS4-HMAC-SHA256 ", "Bearer "),
        ("Credential=", "Credentials="),
        ("Signature=", "Signature=x"),
        ("aws4_request", "aws5_request"),
        ("AKIDEXAMPLE/", ""),
        ("host;", ""),
        ("x-amz-date;", ""),
        (";x-amz-target", ""),
        ("host;", "host;host;"),
        ("host;", "host;missing;"),
    ] {
        assert!(matches!(error(from, to), AuthError::Malformed(_)), "{from} -> {to}");
    }
    let mut unsigned = signed.clone();
    unsigned.headers.retain(|(name, _)| name != "authorization");
    assert_eq!(unsigned.check(SECRET, NOW).err(), Some(AuthError::Missing));
    let no_date = signed.edit("x-amz-date", "2015", "soon");
    assert!(matches!(no_date.check(SECRET, NOW), Err(AuthError::Malformed(_))));
}

fn check_presigned(service: &str, target: &str, now: i64) -> Result<(), AuthError> {
    let headers: [(&str, &[u8]); 1] = [("host", b"h")];
    let request = Request { method: "GET", target, headers: &headers };
    let claim = Claim::parse(&request)?;
    assert_eq!(claim.token.as_deref(), Some("t/+="));
    let key = derive_key(SECRET, &claim.date, &claim.region, service);
    claim.verify(&key, &request, now, SKEW_SECONDS, &payload_hash(b""))
}

#[test]
fn a_presigned_request_is_good_until_its_end() {
    for service in ["s3", "sts"] {
        let headers: [(&str, &[u8]); 1] = [("host", b"h")];
        let request = Request { method: "GET", target: "/b/k%20+?versionId=1", headers: &headers };
        let credentials = Credentials::new("AK", SECRET, Some("t/+=".into()));
        let scope = Scope { region: "us-east-1", service };
        let target = presign(&request, &credentials, scope, NOW, 900);
        assert_eq!(check_presigned(service, &target, NOW), Ok(()));
        assert_eq!(check_presigned(service, &target, NOW + 900), Ok(()));
        let late = check_presigned(service, &target, NOW + 901);
        assert_eq!(late, Err(AuthError::Expired { ended: NOW + 900, now: NOW + 901 }));
        let early = check_presigned(service, &target, NOW - 301);
        assert!(matches!(early, Err(AuthError::Future { .. })));
        let other = target.replace("versionId=1", "versionId=2");
        assert_eq!(check_presigned(service, &other, NOW), Err(AuthError::SignatureMismatch));
        for seconds in ["0", "604801", "-1", "x"] {
            let bad = target.replace("Expires=900", &format!("Expires={seconds}"));
            assert!(matches!(check_presigned(service, &bad, NOW), Err(AuthError::Malformed(_))));
        }
        let twice = format!("{target}&X-Amz-Expires=604800");
        assert!(matches!(check_presigned(service, &twice, NOW), Err(AuthError::Malformed(_))));
    }
}

#[test]
fn each_dialect_has_its_own_words() {
    let said = |error: AuthError, dialect| {
        let refusal = error.refusal(dialect);
        (refusal.status, refusal.code)
    };
    let mismatch = AuthError::SignatureMismatch;
    assert_eq!(said(mismatch.clone(), Dialect::Json), (400, "InvalidSignatureException"));
    assert_eq!(said(mismatch.clone(), Dialect::Query), (403, "SignatureDoesNotMatch"));
    assert_eq!(said(mismatch.clone(), Dialect::Ec2), (401, "AuthFailure"));
    assert_eq!(said(mismatch, Dialect::S3), (403, "SignatureDoesNotMatch"));
    let unknown = AuthError::UnknownAccessKey;
    assert_eq!(said(unknown.clone(), Dialect::Json), (400, "UnrecognizedClientException"));
    assert_eq!(said(unknown.clone(), Dialect::Query), (403, "InvalidClientTokenId"));
    assert_eq!(
        unknown.refusal(Dialect::Ec2).message,
        "AWS was not able to validate the provided access credentials"
    );
    let past = AuthError::Past { time: 0, now: 1000, skew: 300 };
    assert_eq!(said(past.clone(), Dialect::Ec2), (400, "RequestExpired"));
    assert!(past.refusal(Dialect::Query).message.ends_with("(19700101T001640Z - 5 min.)"));
    assert_eq!(said(AuthError::Missing, Dialect::Query), (403, "MissingAuthenticationToken"));
    // Every name that JSON services answer with is one of the error enum's.
    for error in [AuthError::Missing, AuthError::ExpiredToken, AuthError::Malformed("x".into())] {
        assert!(crate::ErrorCode::from_name(error.refusal(Dialect::Json).code).is_some());
    }
}

#[test]
fn secrets_do_not_show() {
    let credentials = Credentials::new("AK", "very-secret", Some("token-secret".into()));
    let key = derive_key("very-secret", "20150830", "r", "s");
    let shown = format!("{credentials:?} {key:?}");
    assert!(!shown.contains("secret"), "{shown}");
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_nothing_else(
        path in "(/[ -~é]{0,8}){1,3}",
        query in "([a-zA-Z%/+ =~-]{0,6}&){0,3}",
        body in proptest::collection::vec(any::<u8>(), 0..64),
        token in proptest::option::of("[A-Za-z0-9+/=]{1,20}"),
    ) {
        let path = path.replace(['?', '#'], "");
        let target = format!("{path}?{query}");
        let signed = Signed::new(&target, &body, token.as_deref());
        prop_assert!(signed.check(SECRET, NOW).is_ok());
        prop_assert!(signed.check("another secret", NOW).is_err());
        let longer = Signed { body: [&body[..], b"x"].concat(), ..signed.clone() };
        prop_assert!(longer.check(SECRET, NOW).is_err());
        let elsewhere = Signed { target: format!("/elsewhere{target}"), ..signed.clone() };
        prop_assert!(elsewhere.check(SECRET, NOW).is_err());
        let more = Signed { target: format!("{target}&more=1"), ..signed };
        prop_assert!(more.check(SECRET, NOW).is_err());
    }

    #[test]
    fn no_claim_breaks_the_parser(header in "\\PC{0,80}", query in "\\PC{0,80}") {
        let authorization = format!("{ALGORITHM} {header}");
        let headers: [(&str, &[u8]); 3] = [
            ("host", b"h"),
            ("x-amz-date", b"20150830T123600Z"),
            ("authorization", authorization.as_bytes()),
        ];
        let target = format!("/?X-Amz-Algorithm={ALGORITHM}&{query}");
        let request = Request { method: "GET", target: &target, headers: &headers };
        let _ = Claim::parse(&request);
        let _ = Claim::parse(&Request { headers: &headers[..1], ..request });
    }
}
