//! Why a request is not its claimed caller's, and how each dialect says so.

use super::SKEW_SECONDS;
use super::date::basic;

/// Why a request was not accepted as its caller's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Neither an `Authorization` header nor signing parameters.
    #[error("Missing Authentication Token")]
    Missing,
    /// Signed, but not in a way that can be understood.
    #[error("{0}")]
    Malformed(String),
    /// Signed for another service.
    #[error("Credential should be scoped to correct service: '{expected}'.")]
    WrongService {
        /// The service that the request went to.
        expected: String,
    },
    /// The scope's day is not the request's.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '{scope}' != '{request}', from '{time}'."
    )]
    WrongDate {
        /// The day of the scope.
        scope: String,
        /// The day of the request.
        request: String,
        /// The request's time, basic form.
        time: String,
    },
    /// Signed too long ago. Times are seconds since the epoch; the wording is what people search their logs for.
    #[error(
        "Signature expired: {} is now earlier than {} ({} - {} min.)",
        basic(*time), basic(now - skew), basic(*now), skew / 60
    )]
    Past {
        /// The request's time.
        time: i64,
        /// Our time.
        now: i64,
        /// The difference allowed, in seconds.
        skew: i64,
    },
    /// Signed in what is the future here.
    #[error(
        "Signature not yet current: {} is still later than {} ({} + {} min.)",
        basic(*time), basic(now + skew), basic(*now), skew / 60
    )]
    Future {
        /// The request's time.
        time: i64,
        /// Our time.
        now: i64,
        /// The difference allowed, in seconds.
        skew: i64,
    },
    /// A presigned request after its end.
    #[error("Request has expired")]
    Expired {
        /// When it ended, seconds since the epoch.
        ended: i64,
        /// Our time.
        now: i64,
    },
    /// No such access key, or not an active one. Found by whoever keeps the keys.
    #[error("The security token included in the request is invalid.")]
    UnknownAccessKey,
    /// The session's token does not belong to its key. Found by whoever keeps the keys.
    #[error("The security token included in the request is invalid.")]
    InvalidToken,
    /// The session is over. Found by whoever keeps the keys.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// The body is not the one that was signed.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    PayloadMismatch,
    /// The secret is not the key's, or something signed was altered.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
         Access Key and signing method. Consult the service documentation for details."
    )]
    SignatureMismatch,
}

/// How a service words its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// CodeDeploy and the command service.
    Json,
    /// IAM, STS and the other query services.
    Query,
    /// EC2.
    Ec2,
    /// S3.
    S3,
}

/// An error as one dialect says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error's name.
    pub code: &'static str,
    /// The text for the caller.
    pub message: String,
}

impl AuthError {
    /// Says the error in a service's dialect.
    pub fn refusal(&self, dialect: Dialect) -> Refusal {
        let (status, code) = match dialect {
            Dialect::Json => (400, self.json()),
            Dialect::Query => self.query(),
            Dialect::Ec2 => self.ec2(),
            Dialect::S3 => self.s3(),
        };
        Refusal { status, code, message: self.message(dialect) }
    }

    fn json(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Malformed(_) => "IncompleteSignatureException",
            Self::UnknownAccessKey | Self::InvalidToken => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::WrongService { .. }
            | Self::WrongDate { .. }
            | Self::Past { .. }
            | Self::Future { .. }
            | Self::Expired { .. }
            | Self::PayloadMismatch
            | Self::SignatureMismatch => "InvalidSignatureException",
        }
    }

    fn query(&self) -> (u16, &'static str) {
        match self {
            Self::Missing => (403, "MissingAuthenticationToken"),
            Self::Malformed(_) => (400, "IncompleteSignature"),
            Self::UnknownAccessKey | Self::InvalidToken => (403, "InvalidClientTokenId"),
            Self::ExpiredToken => (403, "ExpiredToken"),
            Self::WrongService { .. }
            | Self::WrongDate { .. }
            | Self::Past { .. }
            | Self::Future { .. }
            | Self::Expired { .. }
            | Self::PayloadMismatch
            | Self::SignatureMismatch => (403, "SignatureDoesNotMatch"),
        }
    }

    fn ec2(&self) -> (u16, &'static str) {
        match self {
            Self::Past { .. } | Self::Future { .. } | Self::Expired { .. } | Self::ExpiredToken => {
                (400, "RequestExpired")
            }
            Self::Missing
            | Self::Malformed(_)
            | Self::WrongService { .. }
            | Self::WrongDate { .. }
            | Self::UnknownAccessKey
            | Self::InvalidToken
            | Self::PayloadMismatch
            | Self::SignatureMismatch => (401, "AuthFailure"),
        }
    }

    fn s3(&self) -> (u16, &'static str) {
        match self {
            Self::Missing | Self::Expired { .. } => (403, "AccessDenied"),
            Self::Malformed(_) | Self::WrongService { .. } | Self::WrongDate { .. } => {
                (400, "AuthorizationHeaderMalformed")
            }
            Self::Past { .. } | Self::Future { .. } => (403, "RequestTimeTooSkewed"),
            Self::UnknownAccessKey => (403, "InvalidAccessKeyId"),
            Self::InvalidToken => (400, "InvalidToken"),
            Self::ExpiredToken => (400, "ExpiredToken"),
            Self::PayloadMismatch => (400, "XAmzContentSHA256Mismatch"),
            Self::SignatureMismatch => (403, "SignatureDoesNotMatch"),
        }
    }

    fn message(&self, dialect: Dialect) -> String {
        match (dialect, self) {
            (Dialect::Ec2, _) if self.ec2().1 == "AuthFailure" => {
                "AWS was not able to validate the provided access credentials".to_owned()
            }
            (Dialect::S3, Self::Missing) => "Access Denied".to_owned(),
            (Dialect::S3, Self::UnknownAccessKey) => {
                "The AWS Access Key Id you provided does not exist in our records.".to_owned()
            }
            (Dialect::S3, Self::Past { .. } | Self::Future { .. }) => {
                "The difference between the request time and the current time is too large."
                    .to_owned()
            }
            (Dialect::S3, Self::SignatureMismatch) => {
                "The request signature we calculated does not match the signature you provided. Check your key \
                 and signing method."
                    .to_owned()
            }
            _ => self.to_string(),
        }
    }

    /// Whether a request's `time` is close enough to ours, all in seconds.
    pub(super) fn check_skew(time: i64, now: i64, skew: i64) -> Result<(), Self> {
        if time < now.saturating_sub(skew) {
            Err(Self::Past { time, now, skew })
        } else if time > now.saturating_add(skew) {
            Err(Self::Future { time, now, skew })
        } else {
            Ok(())
        }
    }
}

const _: () = assert!(SKEW_SECONDS % 60 == 0, "the texts tell whole minutes");
