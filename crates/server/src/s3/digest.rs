//! The sums over an object's bytes: MD5 for the ETag, and whichever checksum the caller asked for.
//!
//! A sum is only ever computed over bytes on their way to the disk, compared with what the caller said, and
//! kept; nothing here reads a file again.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Error, S3ErrorCode};
use serde::{Deserialize, Serialize};

use super::crc;
use super::fault::{because, invalid_request};

/// The checksum algorithms of S3 besides MD5.
/// Source: S3 user guide, "Checking object integrity".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    /// Every algorithm, in the order in which the API lists them.
    pub(super) const ALL: [Self; 5] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The algorithm of this wire name, in any case.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The header that carries its value.
    pub(super) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    /// Whether a multipart object's sum covers its bytes unless the caller says otherwise: CRC64NVME knows no
    /// other way, the rest sum up the sums of the parts.
    pub(super) const fn usual_coverage(self) -> Coverage {
        match self {
            Self::Crc64Nvme => Coverage::FullObject,
            Self::Crc32 | Self::Crc32c | Self::Sha1 | Self::Sha256 => Coverage::Composite,
        }
    }

    const fn len_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// What a checksum sums up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Coverage {
    /// All bytes of the object.
    FullObject,
    /// The sums of the parts of a multipart upload.
    Composite,
}

impl Coverage {
    /// The name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

/// A checksum as it is kept with an object and told to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) algorithm: Algorithm,
    pub(super) coverage: Coverage,
    /// Base64 of the big-endian sum; a composite one ends in `-` and the number of parts.
    pub(super) value: String,
}

/// What the caller said about the bytes before sending them.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// `Content-MD5` as sent: base64 of sixteen bytes.
    pub(super) content_md5: Option<String>,
    /// The checksum to compute, and its value where the header came before the bytes.
    pub(super) checksum: Option<(Algorithm, Option<String>)>,
}

impl Expected {
    /// From the headers' values, in the order of [`Algorithm::ALL`], the algorithm named separately or by the
    /// trailer, and `Content-MD5`.
    pub(super) fn new(
        content_md5: Option<String>,
        values: [Option<String>; 5],
        named: Option<&str>,
    ) -> Result<Self, S3Error> {
        if let Some(md5) = &content_md5
            && BASE64_STANDARD.decode(md5).ok().is_none_or(|bytes| bytes.len() != 16)
        {
            return Err(super::fault::known(S3ErrorCode::InvalidDigest));
        }
        let given: Vec<_> = Algorithm::ALL
            .into_iter()
            .zip(values)
            .filter_map(|(kind, value)| Some((kind, value?)))
            .collect();
        if given.len() > 1 {
            return Err(invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let checksum = match given.into_iter().next() {
            Some((algorithm, value)) => {
                check_form(algorithm, &value)?;
                Some((algorithm, Some(value)))
            }
            None => named.map(named_algorithm).transpose()?.map(|algorithm| (algorithm, None)),
        };
        Ok(Self { content_md5, checksum })
    }
}

/// The algorithm that a caller names, or the error that says that there is none of that name.
pub(super) fn named_algorithm(name: &str) -> Result<Algorithm, S3Error> {
    Algorithm::of_name(name).ok_or_else(|| {
        invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
             CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    })
}

fn check_form(algorithm: Algorithm, value: &str) -> Result<(), S3Error> {
    match BASE64_STANDARD.decode(value) {
        Ok(bytes) if bytes.len() == algorithm.len_bytes() => Ok(()),
        _ => Err(invalid_request(format!("Value for {} header is invalid.", algorithm.header()))),
    }
}

/// Sums up bytes as they pass.
pub(super) struct Hasher {
    md5: Md5,
    checksum: Option<(Algorithm, Running)>,
}

impl Hasher {
    /// One that computes the MD5 and, if given, `algorithm`.
    pub(super) fn new(algorithm: Option<Algorithm>) -> Self {
        Self {
            md5: Md5::new(),
            checksum: algorithm.map(|algorithm| (algorithm, Running::new(algorithm))),
        }
    }

    /// Takes in the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        if let Some((_, running)) = &mut self.checksum {
            running.update(bytes);
        }
    }

    /// The sums over all bytes taken in.
    pub(super) fn finish(self) -> Sums {
        let checksum = self.checksum.map(|(algorithm, running)| Sum {
            algorithm,
            coverage: Coverage::FullObject,
            value: BASE64_STANDARD.encode(running.finish()),
        });
        Sums { md5: self.md5.finalize(), checksum }
    }
}

enum Running {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Running {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(sum) => sum.update(bytes),
            Self::Crc32c(sum) => sum.update(bytes),
            Self::Crc64Nvme(sum) => sum.update(bytes),
            Self::Sha1(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc32(sum) => sum.finalize().to_vec(),
            Self::Crc32c(sum) => sum.finalize().to_vec(),
            Self::Crc64Nvme(sum) => sum.finalize().to_vec(),
            Self::Sha1(sum) => sum.finalize().to_vec(),
            Self::Sha256(sum) => sum.finalize().to_vec(),
        }
    }
}

/// What was computed over a run of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) md5: [u8; 16],
    pub(super) checksum: Option<Sum>,
}

impl Sums {
    /// The ETag of an object that was sent in one piece, without quotes.
    pub(super) fn etag(&self) -> String {
        hex::encode(self.md5)
    }

    /// Refuses bytes that are not those the caller spoke of. `trailing` reads a value that came after the bytes,
    /// by header name.
    pub(super) fn verify(
        &self,
        expected: &Expected,
        trailing: impl Fn(&str) -> Option<String>,
    ) -> Result<(), S3Error> {
        if let Some(md5) = &expected.content_md5
            && *md5 != BASE64_STANDARD.encode(self.md5)
        {
            return Err(because(
                S3ErrorCode::BadDigest,
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
        let Some(computed) = &self.checksum else { return Ok(()) };
        let announced = expected.checksum.as_ref().and_then(|(_, value)| value.clone());
        match announced.or_else(|| trailing(&computed.algorithm.header())) {
            Some(value) if value != computed.value => Err(mismatch(computed.algorithm)),
            _ => Ok(()),
        }
    }
}

/// The error for a checksum that is not the one of the bytes received.
pub(super) fn mismatch(algorithm: Algorithm) -> S3Error {
    because(
        S3ErrorCode::BadDigest,
        format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
    )
}

/// The ETag of an object made of parts: the MD5 of the parts' MD5s, a dash, and the number of parts.
/// `None` if one of `etags` is not an MD5 in hexadecimal.
pub(super) fn multipart_etag<'a>(etags: impl ExactSizeIterator<Item = &'a str>) -> Option<String> {
    let count = etags.len();
    let mut md5 = Md5::new();
    for etag in etags {
        md5.update(&hex::decode(etag).ok()?);
    }
    Some(format!("{}-{count}", hex::encode(md5.finalize())))
}

/// The checksum of an object made of parts of which each has a sum and a length in bytes. `None` if a sum does
/// not decode, or if only the bytes themselves could tell (a SHA over the full object).
pub(super) fn multipart_sum(
    algorithm: Algorithm,
    coverage: Coverage,
    parts: &[(&str, u64)],
) -> Option<Sum> {
    let decoded: Option<Vec<_>> = parts
        .iter()
        .map(|(value, size)| Some((BASE64_STANDARD.decode(value).ok()?, *size)))
        .collect();
    let decoded = decoded?;
    let value = match coverage {
        Coverage::Composite => {
            let mut running = Running::new(algorithm);
            decoded.iter().for_each(|(sum, _)| running.update(sum));
            format!("{}-{}", BASE64_STANDARD.encode(running.finish()), parts.len())
        }
        Coverage::FullObject => BASE64_STANDARD.encode(joined_crc(algorithm, &decoded)?),
    };
    Some(Sum { algorithm, coverage, value })
}

fn joined_crc(algorithm: Algorithm, parts: &[(Vec<u8>, u64)]) -> Option<Vec<u8>> {
    let polynomial = match algorithm {
        Algorithm::Crc32 => crc::CRC32,
        Algorithm::Crc32c => crc::CRC32C,
        Algorithm::Crc64Nvme => crc::CRC64_NVME,
        Algorithm::Sha1 | Algorithm::Sha256 => return None,
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let joined = parts
        .iter()
        .fold(0, |before, (sum, size)| crc::join(polynomial, before, number(sum), *size));
    Some(joined.to_be_bytes()[8 - algorithm.len_bytes()..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(algorithm: Algorithm, bytes: &[u8]) -> Sums {
        let mut hasher = Hasher::new(Some(algorithm));
        hasher.update(bytes);
        hasher.finish()
    }

    /// Sums of the nine digits, as published with each algorithm.
    #[test]
    fn known_sums_come_out() {
        for (algorithm, value) in [
            (Algorithm::Crc32, "y/Q5Jg=="),
            (Algorithm::Crc32c, "4waSgw=="),
            (Algorithm::Crc64Nvme, "rosUhgp5mIg="),
            (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Algorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            let got = sums(algorithm, b"123456789").checksum.map(|sum| sum.value);
            assert_eq!(got.as_deref(), Some(value), "{algorithm:?}");
        }
        assert_eq!(sums(Algorithm::Crc32, b"").etag(), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn a_wrong_sum_is_refused_wherever_it_was_said() {
        let computed = sums(Algorithm::Crc32, b"123456789");
        let code = |expected: &Expected, trailing: Option<&str>| {
            let result = computed.verify(expected, |_| trailing.map(str::to_owned));
            result.err().map(|error| error.code().as_str().to_owned())
        };
        let before = |value: &str| Expected {
            content_md5: None,
            checksum: Some((Algorithm::Crc32, Some(value.to_owned()))),
        };
        let after = Expected { content_md5: None, checksum: Some((Algorithm::Crc32, None)) };
        assert_eq!(code(&before("y/Q5Jg=="), None), None);
        assert_eq!(code(&before("y/Q5Jw=="), None).as_deref(), Some("BadDigest"));
        assert_eq!(code(&after, Some("y/Q5Jg==")), None);
        assert_eq!(code(&after, Some("y/Q5Jw==")).as_deref(), Some("BadDigest"));
        let md5 =
            Expected { content_md5: Some("1B2M2Y8AsgTpgAmY7PhCfg==".to_owned()), checksum: None };
        assert_eq!(code(&md5, None).as_deref(), Some("BadDigest"));
    }

    #[test]
    fn what_the_caller_says_must_make_sense() {
        let code =
            |md5: Option<&str>, crc32: Option<&str>, sha1: Option<&str>, named: Option<&str>| {
                let values = [crc32.map(str::to_owned), None, None, sha1.map(str::to_owned), None];
                let result = Expected::new(md5.map(str::to_owned), values, named);
                result.err().map(|error| error.code().as_str().to_owned())
            };
        assert_eq!(code(None, Some("y/Q5Jg=="), None, None), None);
        assert_eq!(code(None, Some("y/Q5"), None, None).as_deref(), Some("InvalidRequest"));
        let sha1 = Some("98O8HYCOBHMq32eZZczDTKeuNEE=");
        assert_eq!(code(None, Some("y/Q5Jg=="), sha1, None).as_deref(), Some("InvalidRequest"));
        assert_eq!(code(None, None, None, Some("CRC31")).as_deref(), Some("InvalidRequest"));
        assert_eq!(code(Some("short"), None, None, None).as_deref(), Some("InvalidDigest"));
    }

    #[test]
    fn parts_sum_up_to_the_whole() {
        let (head, tail) = (vec![7_u8; 70_000], b"the rest".to_vec());
        let whole = [head.clone(), tail.clone()].concat();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let value = |bytes: &[u8]| sums(algorithm, bytes).checksum.unwrap().value;
            let (first, second) = (value(&head), value(&tail));
            let parts = [(first.as_str(), head.len() as u64), (second.as_str(), tail.len() as u64)];
            let joined = multipart_sum(algorithm, Coverage::FullObject, &parts).unwrap();
            assert_eq!(joined.value, value(&whole), "{algorithm:?}");
        }
        assert_eq!(multipart_sum(Algorithm::Sha1, Coverage::FullObject, &[("AAAA", 3)]), None);
    }

    /// The parts are 5 MiB of `a` and one `b`.
    #[test]
    fn composite_sums_name_the_number_of_parts() {
        let etags = ["79b281060d337b9b2b84ccf390adcf74", "92eb5ffee6ae2fec3ad71c777531578f"];
        let etag = multipart_etag(etags.into_iter()).unwrap();
        assert_eq!(etag, "e5a8c5272b26fc10581a21089559b006-2");
        let composite =
            multipart_sum(Algorithm::Crc32, Coverage::Composite, &[("y/Q5Jg==", 9)]).unwrap();
        assert_eq!(composite.value, "7kxlUA==-1");
        assert_eq!(multipart_etag(["not hex"].into_iter()), None);
    }
}
