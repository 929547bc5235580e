//! Objects in S3, as far as a bundle needs: whole, or in parts that an interrupted upload left behind.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Answer, CallError, Client, error};

/// What Signature Version 4 leaves as it is in a path.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
const IN_QUERY: &AsciiSet = &IN_PATH.add(b'/');

/// S3 of the server.
pub struct S3<'a>(pub &'a Client);

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Without quotes.
    pub e_tag: String,
    /// Of a bucket with versions.
    pub version: Option<String>,
}

/// A part that an upload has already.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Part {
    #[serde(rename = "PartNumber")]
    pub number: u32,
    #[serde(rename = "ETag")]
    e_tag: String,
}

impl Part {
    /// The MD5 of its bytes, in hexadecimal.
    pub fn md5(&self) -> &str {
        self.e_tag.trim_matches('"')
    }
}

#[derive(Deserialize)]
struct Uploads {
    #[serde(rename = "Upload", default)]
    uploads: Vec<Upload>,
}

#[derive(Deserialize)]
struct Upload {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "UploadId")]
    id: String,
}

#[derive(Deserialize)]
struct Parts {
    #[serde(rename = "Part", default)]
    parts: Vec<Part>,
    #[serde(rename = "IsTruncated", default)]
    is_truncated: bool,
    #[serde(rename = "NextPartNumberMarker")]
    next: Option<u32>,
}

#[derive(Deserialize)]
struct Begun {
    #[serde(rename = "UploadId")]
    id: String,
}

#[derive(Deserialize)]
struct Completed {
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
}

impl S3<'_> {
    /// Whether the bucket is there, for this caller.
    pub async fn has_bucket(&self, bucket: &str) -> Result<bool, CallError> {
        match self.ask("HeadBucket", "HEAD", &path(bucket, ""), Vec::new()).await {
            Ok(_) => Ok(true),
            Err(CallError::Refused { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub async fn make_bucket(&self, bucket: &str) -> Result<(), CallError> {
        self.ask("CreateBucket", "PUT", &path(bucket, ""), Vec::new()).await?;
        Ok(())
    }

    /// The object of that key, if there is one.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Option<Object>, CallError> {
        match self.ask("HeadObject", "HEAD", &path(bucket, key), Vec::new()).await {
            Ok(answer) => Ok(Some(object(&answer, None))),
            Err(CallError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<Object, CallError> {
        let answer = self.ask("PutObject", "PUT", &path(bucket, key), body).await?;
        Ok(object(&answer, None))
    }

    /// The upload in parts that was begun for this key and neither completed nor aborted; the newest of several.
    pub async fn unfinished(&self, bucket: &str, key: &str) -> Result<Option<String>, CallError> {
        let target = format!("{}?prefix={}&uploads=", path(bucket, ""), query(key));
        let answer = self.ask("ListMultipartUploads", "GET", &target, Vec::new()).await?;
        let found: Uploads = parsed("ListMultipartUploads", &answer)?;
        Ok(found.uploads.into_iter().rev().find(|upload| upload.key == key).map(|upload| upload.id))
    }

    pub async fn begin(&self, bucket: &str, key: &str) -> Result<String, CallError> {
        let target = format!("{}?uploads=", path(bucket, key));
        let answer = self.ask("CreateMultipartUpload", "POST", &target, Vec::new()).await?;
        Ok(parsed::<Begun>("CreateMultipartUpload", &answer)?.id)
    }

    /// The parts that an upload has.
    pub async fn parts(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
    ) -> Result<Vec<Part>, CallError> {
        let mut parts = Vec::new();
        let mut marker = 0;
        loop {
            let target = format!(
                "{}?part-number-marker={marker}&uploadId={}",
                path(bucket, key),
                query(upload)
            );
            let answer = self.ask("ListParts", "GET", &target, Vec::new()).await?;
            let found: Parts = parsed("ListParts", &answer)?;
            parts.extend(found.parts);
            match found.next {
                Some(next) if found.is_truncated && next > marker => marker = next,
                _ => return Ok(parts),
            }
        }
    }

    pub async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        number: u32,
        body: Vec<u8>,
    ) -> Result<(), CallError> {
        let target =
            format!("{}?partNumber={number}&uploadId={}", path(bucket, key), query(upload));
        self.ask("UploadPart", "PUT", &target, body).await?;
        Ok(())
    }

    /// Puts the parts together; `md5s` are theirs in order.
    pub async fn complete(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        md5s: &[String],
    ) -> Result<Object, CallError> {
        let mut body = String::from("<CompleteMultipartUpload>");
        for (number, md5) in (1..).zip(md5s) {
            body.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>\"{md5}\"</ETag></Part>"
            ));
        }
        body.push_str("</CompleteMultipartUpload>");
        let target = format!("{}?uploadId={}", path(bucket, key), query(upload));
        let answer =
            self.ask("CompleteMultipartUpload", "POST", &target, body.into_bytes()).await?;
        let completed: Completed = parsed("CompleteMultipartUpload", &answer)?;
        Ok(object(&answer, completed.e_tag))
    }

    async fn ask(
        &self,
        operation: &str,
        method: &str,
        target: &str,
        body: Vec<u8>,
    ) -> Result<Answer, CallError> {
        let answer = self.0.send("s3", method, target, &[], body).await?;
        error::xml(operation, &answer)?;
        Ok(answer)
    }
}

fn path(bucket: &str, key: &str) -> String {
    let bucket = utf8_percent_encode(bucket, IN_PATH);
    if key.is_empty() {
        return format!("/{bucket}");
    }
    format!("/{bucket}/{}", utf8_percent_encode(key, IN_PATH))
}

fn query(value: &str) -> String {
    utf8_percent_encode(value, IN_QUERY).to_string()
}

fn object(answer: &Answer, e_tag: Option<String>) -> Object {
    let e_tag = e_tag.or_else(|| answer.header("etag").map(str::to_owned)).unwrap_or_default();
    Object {
        e_tag: e_tag.trim_matches('"').to_owned(),
        version: answer.header("x-amz-version-id").map(str::to_owned),
    }
}

fn parsed<T: DeserializeOwned>(operation: &str, answer: &Answer) -> Result<T, CallError> {
    let text = String::from_utf8_lossy(&answer.body);
    quick_xml::de::from_str(&text).map_err(|error| CallError::Unreadable {
        operation: operation.to_owned(),
        reason: error.to_string(),
    })
}
