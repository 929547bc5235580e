//! What the AppSpec of a bundle says that is packed already.

use std::io::{Cursor, Read};

use anyhow::{Context, bail};
use model::appspec::{AppSpec, DEFAULT_NAMES};

/// The longest AppSpec that is read; hosts take no longer ones.
const APPSPEC_MAX: u64 = 1 << 20;
/// How far an archive is unpacked in search of it.
const UNPACKED_MAX: u64 = 1 << 30;

/// The AppSpec in a bundle of one of CodeDeploy's types.
///
/// # Errors
/// The bundle is no such archive, has no AppSpec, or has one that hosts would refuse.
pub fn appspec(bundle: &[u8], bundle_type: &str) -> anyhow::Result<AppSpec> {
    let text = match bundle_type {
        "zip" => in_zip(bundle)?,
        "tgz" => in_tar(flate2::read::MultiGzDecoder::new(bundle))?,
        "tar" => in_tar(bundle)?,
        other => bail!("bundles of the type `{other}` cannot be looked into"),
    };
    let text = text.with_context(|| format!("the bundle has no {}", DEFAULT_NAMES[0]))?;
    Ok(AppSpec::parse(&text)?)
}

fn in_zip(bundle: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bundle)).context("the bundle is no zip")?;
    for name in DEFAULT_NAMES {
        if archive.index_for_name(name).is_some() {
            return read(archive.by_name(name)?).map(Some);
        }
    }
    Ok(None)
}

/// The first name counts before the second, wherever they stand.
fn in_tar(bundle: impl Read) -> anyhow::Result<Option<Vec<u8>>> {
    let mut archive = tar::Archive::new(bundle.take(UNPACKED_MAX));
    let mut second = None;
    for entry in archive.entries()? {
        let entry = entry.context("the bundle is no tar archive")?;
        let path = entry.path()?.into_owned();
        let path = path.strip_prefix(".").unwrap_or(&path);
        if path.as_os_str() == DEFAULT_NAMES[0] {
            return read(entry).map(Some);
        }
        if path.as_os_str() == DEFAULT_NAMES[1] {
            second = Some(read(entry)?);
        }
    }
    Ok(second)
}

fn read(entry: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    entry.take(APPSPEC_MAX).read_to_end(&mut text).context("the AppSpec cannot be unpacked")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8Path;

    use super::super::pack::pack;
    use super::*;
    use crate::args::BundleType;

    fn packed(name: &str, kind: BundleType) -> Vec<u8> {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(keep.path()).unwrap();
        fs::write(folder.join("a"), "x").unwrap();
        fs::write(
            folder.join(name),
            "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: run.sh\n",
        )
        .unwrap();
        let mut bytes = Vec::new();
        pack(folder, kind).unwrap().file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_appspec_is_found_in_each_type_of_bundle() {
        for kind in [BundleType::Zip, BundleType::Tgz, BundleType::Tar] {
            for name in DEFAULT_NAMES {
                let found = appspec(&packed(name, kind), kind.name()).unwrap();
                assert_eq!(found.hooks.of("AfterInstall")[0].location, "run.sh", "{kind:?} {name}");
            }
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for kind in [BundleType::Zip, BundleType::Tgz, BundleType::Tar] {
            let told = |bytes: &[u8]| format!("{:#}", appspec(bytes, kind.name()).unwrap_err());
            assert!(told(&packed("readme", kind)).contains("has no appspec.yml"));
            assert!(!told(b"not an archive, but longer than the head of one").is_empty());
        }
    }
}
