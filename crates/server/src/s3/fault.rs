//! What S3 says when it refuses: one constructor per sentence, so that no error leaves without its message.
//!
//! `s3s` sends only a code where none of us gave a message, and clients then print "Unknown". The front
//! therefore asks [`default_message`] for those that `s3s` itself raised.

use std::io;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};
use store::StoreError;

/// The bucket does not exist.
pub(super) fn no_such_bucket() -> S3Error {
    known(S3ErrorCode::NoSuchBucket)
}

/// No object has this key.
pub(super) fn no_such_key() -> S3Error {
    known(S3ErrorCode::NoSuchKey)
}

/// The key has no version of this id.
pub(super) fn no_such_version() -> S3Error {
    known(S3ErrorCode::NoSuchVersion)
}

/// There is no such multipart upload in progress.
pub(super) fn no_such_upload() -> S3Error {
    known(S3ErrorCode::NoSuchUpload)
}

/// An error whose message is the usual one of its code.
pub(super) fn known(code: S3ErrorCode) -> S3Error {
    let message = default_message(code.as_str());
    S3Error::with_message(code, message)
}

/// An error with a message of its own.
pub(super) fn because(code: S3ErrorCode, message: impl Into<String>) -> S3Error {
    S3Error::with_message(code, message.into())
}

/// The caller sent a value that is never right.
pub(super) fn invalid_argument(message: impl Into<String>) -> S3Error {
    because(S3ErrorCode::InvalidArgument, message)
}

/// The request contradicts itself.
pub(super) fn invalid_request(message: impl Into<String>) -> S3Error {
    because(S3ErrorCode::InvalidRequest, message)
}

/// The server could not do its own part. The caller learns nothing of the cause; the log does.
pub(super) fn internal(cause: &(dyn std::error::Error + 'static)) -> S3Error {
    tracing::error!(error = &cause, "an S3 request failed inside the server");
    known(S3ErrorCode::InternalError)
}

/// An error whose code `s3s` does not know, and so not its status either.
pub(super) fn unlisted(code: &'static str, status: StatusCode) -> S3Error {
    let mut error = known(S3ErrorCode::Custom(code.into()));
    error.set_status_code(status);
    error
}

/// The store failed.
#[expect(clippy::needless_pass_by_value, reason = "it is the end of every `map_err`")]
pub(super) fn store(error: StoreError) -> S3Error {
    if error.is_full() { disk_full() } else { internal(&error) }
}

/// The disk failed.
pub(super) fn disk(error: &io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => disk_full(),
        _ => internal(error),
    }
}

/// The disk under the objects is full. Clients treat 503 as passing and try again later.
fn disk_full() -> S3Error {
    tracing::error!("no space is left for objects");
    because(
        S3ErrorCode::ServiceUnavailable,
        "There is no space left on the disk that holds the objects; nothing was stored.",
    )
}

/// The documented text of an error code.
/// Source: Amazon S3 API reference, "Error responses".
pub(super) fn default_message(code: &str) -> &'static str {
    match code {
        "AccessDenied" => "Access Denied",
        "AuthorizationHeaderMalformed" => {
            "The authorization header that you provided is not valid."
        }
        "AuthorizationQueryParametersError" => {
            "The authorization query parameters that you provided are not valid."
        }
        "BadDigest" => {
            "The Content-MD5 or checksum value that you specified did not match what the server received."
        }
        "BadRequest" => "An error occurred when parsing the HTTP request.",
        "BucketAlreadyExists" => {
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
             Please select a different name and try again."
        }
        "BucketAlreadyOwnedByYou" => {
            "Your previous request to create the named bucket succeeded and you already own it."
        }
        "BucketNotEmpty" => "The bucket you tried to delete is not empty",
        "EntityTooLarge" => "Your proposed upload exceeds the maximum allowed size",
        "EntityTooSmall" => "Your proposed upload is smaller than the minimum allowed size",
        "ExpiredToken" => "The provided token has expired.",
        "IllegalLocationConstraintException" => {
            "The location constraint is incompatible for the region specific endpoint this request was sent to."
        }
        "IncompleteBody" => {
            "You did not provide the number of bytes specified by the Content-Length HTTP header"
        }
        "InternalError" => "We encountered an internal error. Please try again.",
        "InvalidAccessKeyId" => "The AWS Access Key Id you provided does not exist in our records.",
        "InvalidArgument" => "Invalid Argument",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidDigest" => "The Content-MD5 you specified was invalid.",
        "InvalidPart" => {
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
             specified entity tag may not match the part's entity tag."
        }
        "InvalidPartOrder" => {
            "The list of parts was not in ascending order. Parts must be ordered by part number."
        }
        "InvalidPartNumber" => "The requested partnumber is not satisfiable",
        "InvalidRange" => "The requested range is not satisfiable",
        "InvalidToken" => "The provided token is malformed or otherwise invalid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedPOSTRequest" => {
            "The body of your POST request is not well-formed multipart/form-data."
        }
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema"
        }
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "NoSuchBucket" => "The specified bucket does not exist",
        "NoSuchBucketPolicy" => "The bucket policy does not exist",
        "NoSuchCORSConfiguration" => "The CORS configuration does not exist",
        "NoSuchKey" => "The specified key does not exist.",
        "NoSuchLifecycleConfiguration" => "The lifecycle configuration does not exist",
        "NoSuchPublicAccessBlockConfiguration" => {
            "The public access block configuration was not found"
        }
        "NoSuchTagSet" => "The TagSet does not exist",
        "NoSuchUpload" => {
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
             or completed."
        }
        "NoSuchVersion" => "The specified version does not exist.",
        "NoSuchWebsiteConfiguration" => {
            "The specified bucket does not have a website configuration"
        }
        "NotImplemented" => {
            "A header or operation you provided implies functionality that is not implemented"
        }
        "NotModified" => "Not Modified",
        "ObjectLockConfigurationNotFoundError" => {
            "Object Lock configuration does not exist for this bucket"
        }
        "OwnershipControlsNotFoundError" => "The bucket ownership controls were not found",
        "PreconditionFailed" => "At least one of the pre-conditions you specified did not hold",
        "ReplicationConfigurationNotFoundError" => "The replication configuration was not found",
        "RequestTimeTooSkewed" => {
            "The difference between the request time and the current time is too large."
        }
        "ServerSideEncryptionConfigurationNotFoundError" => {
            "The server side encryption configuration was not found"
        }
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and \
             signing method."
        }
        "XAmzContentSHA256Mismatch" => {
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        }
        _ => "The request could not be carried out.",
    }
}
