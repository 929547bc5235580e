//! A bundle on its way to S3: in one request if it is small, else in parts. Parts that an interrupted upload has left are
//! taken over where their bytes are the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use md5::{Digest, Md5};

use super::pack::Packed;
use crate::client::{CallError, Object, S3};

/// The smallest part that S3 takes is 5 MiB. Source: API reference of S3, `UploadPart`.
const PART: u64 = 8 << 20;
/// More parts are not taken. Source: as above.
const PARTS_MAX: u64 = 10_000;
/// How often a part is tried.
const TRIES: u32 = 5;

/// Uploads a bundle, unless it is there already.
pub async fn upload(
    s3: &S3<'_>,
    packed: &Packed,
    bucket: &str,
    key: &str,
) -> anyhow::Result<Object> {
    let plan = Plan::of(packed)?;
    if let Some(object) = same(s3, &plan, bucket, key).await? {
        eprintln!("s3://{bucket}/{key} has this content already");
        return Ok(object);
    }
    let bar = bar(packed.size);
    let object = if plan.parts.len() == 1 {
        let body = part(&packed.file, 0, packed.size)?;
        let object = s3.put(bucket, key, body).await?;
        bar.inc(packed.size);
        object
    } else {
        in_parts(s3, packed, &plan, bucket, key, &bar).await?
    };
    bar.finish_and_clear();
    Ok(object)
}

/// The object of that key, if it is the same as this bundle would become.
pub async fn there(
    s3: &S3<'_>,
    packed: &Packed,
    bucket: &str,
    key: &str,
) -> anyhow::Result<Option<Object>> {
    same(s3, &Plan::of(packed)?, bucket, key).await
}

async fn same(s3: &S3<'_>, plan: &Plan, bucket: &str, key: &str) -> anyhow::Result<Option<Object>> {
    let found = s3.object(bucket, key).await?;
    Ok(found.filter(|object| object.e_tag == plan.e_tag()))
}

async fn in_parts(
    s3: &S3<'_>,
    packed: &Packed,
    plan: &Plan,
    bucket: &str,
    key: &str,
    bar: &ProgressBar,
) -> anyhow::Result<Object> {
    let unfinished = s3.unfinished(bucket, key).await?;
    let (upload, there) = match unfinished {
        Some(upload) => {
            let parts = s3.parts(bucket, key, &upload).await?;
            let there: BTreeMap<u32, String> =
                parts.iter().map(|part| (part.number, part.md5().to_owned())).collect();
            (upload, there)
        }
        None => (s3.begin(bucket, key).await?, BTreeMap::new()),
    };
    let is_there = |number: u32, md5: &String| there.get(&number) == Some(md5);
    let taken_over = (1..).zip(&plan.parts).filter(|(number, md5)| is_there(*number, md5)).count();
    if taken_over > 0 {
        eprintln!(
            "Going on with an interrupted upload: {taken_over} of {} parts are there",
            plan.parts.len()
        );
    }
    for (number, md5) in (1..).zip(&plan.parts) {
        let from = u64::from(number - 1) * plan.part_size;
        let size = plan.part_size.min(packed.size - from);
        if !is_there(number, md5) {
            put_part(s3, (bucket, key, &upload), number, || part(&packed.file, from, size))
                .await
                .with_context(|| {
                format!(
                    "part {number} of {}; the same command goes on from there",
                    plan.parts.len()
                )
            })?;
        }
        bar.inc(size);
    }
    Ok(s3.complete(bucket, key, &upload, &plan.parts).await?)
}

/// Puts a part; a repeat replaces it.
async fn put_part(
    s3: &S3<'_>,
    (bucket, key, upload): (&str, &str, &str),
    number: u32,
    body: impl Fn() -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<()> {
    let mut pause = Duration::from_millis(500);
    for tried in 1.. {
        match s3.put_part(bucket, key, upload, number, body()?).await {
            Ok(()) => break,
            Err(error) if tried < TRIES && CallError::is_passing(&error) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn part(file: &File, from: u64, size: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(size)?];
    file.read_exact_at(&mut bytes, from).context("cannot read the bundle again")?;
    Ok(bytes)
}

/// How a bundle is cut.
struct Plan {
    part_size: u64,
    /// The MD5 of each part, in hexadecimal.
    parts: Vec<String>,
}

impl Plan {
    fn of(packed: &Packed) -> anyhow::Result<Self> {
        let part_size = PART.max(packed.size.div_ceil(PARTS_MAX));
        let count = packed.size.div_ceil(part_size).max(1);
        let mut parts = Vec::new();
        for at in 0..count {
            let from = at * part_size;
            let bytes = part(&packed.file, from, part_size.min(packed.size - from))?;
            parts.push(hex::encode(Md5::digest(&bytes)));
        }
        Ok(Self { part_size, parts })
    }

    /// The ETag that S3 gives an object that was uploaded so: its MD5, or the MD5 of those of its parts and their number.
    fn e_tag(&self) -> String {
        if let [one] = &self.parts[..] {
            return one.clone();
        }
        let mut all = Md5::new();
        for part in &self.parts {
            all.update(hex::decode(part).unwrap_or_default());
        }
        format!("{}-{}", hex::encode(all.finalize()), self.parts.len())
    }
}

/// Progress on standard error, if that is a terminal.
fn bar(size: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr());
    let template = "Uploading [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
