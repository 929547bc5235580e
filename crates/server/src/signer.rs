//! The signer of deployment specifications: one P-256 key and certificate per installation, made once.
//!
//! Agents pin the certificate when they are installed and take orders from nobody else, so it must survive as long as
//! the installation: it is kept in the store, where all servers of one installation find the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use serde::{Deserialize, Serialize};

/// Signs deployment specifications.
pub struct Signer {
    key_pkcs8: Vec<u8>,
    certificate: Vec<u8>,
    certificate_pem: String,
}

/// The signer as the store keeps it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SignerRecord {
    /// The private key: PKCS#8 in base64.
    key: String,
    /// The certificate: DER in base64.
    certificate: String,
}

/// Why there is no signer.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// A new key or certificate could not be made.
    #[error("the signer's certificate could not be made")]
    Make(#[source] rcgen::Error),
    /// The kept one cannot be read.
    #[error("the signer's record in the database is damaged")]
    Damaged(#[source] base64::DecodeError),
    /// Signing failed.
    #[error("a deployment specification could not be signed")]
    Sign(#[source] wire::cms::CmsError),
}

impl SignerRecord {
    /// Draws a key and makes its certificate.
    ///
    /// # Errors
    /// The machine has no randomness to give.
    pub fn make() -> Result<Self, SignerError> {
        let key = KeyPair::generate().map_err(SignerError::Make)?;
        let certificate = parameters().self_signed(&key).map_err(SignerError::Make)?;
        Ok(Self {
            key: STANDARD.encode(key.serialize_der()),
            certificate: STANDARD.encode(certificate.der()),
        })
    }
}

/// Agents compare the certificate itself, so its dates only have to be far apart. OpenSSL's tools demand
/// `emailProtection` of whoever signs a PKCS#7, and others `codeSigning`: it has both.
fn parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "longshore deployment signer");
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2099, 12, 31);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::CodeSigning, ExtendedKeyUsagePurpose::EmailProtection];
    parameters
}

impl Signer {
    /// The signer that `record` describes.
    ///
    /// # Errors
    /// The record is damaged.
    pub fn open(record: &SignerRecord) -> Result<Self, SignerError> {
        let key_pkcs8 = STANDARD.decode(&record.key).map_err(SignerError::Damaged)?;
        let certificate = STANDARD.decode(&record.certificate).map_err(SignerError::Damaged)?;
        let certificate_pem = pem(&certificate);
        Ok(Self { key_pkcs8, certificate, certificate_pem })
    }

    /// The certificate that agents pin, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// `content` in a PEM labelled `PKCS7`, signed.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, content: &[u8], now: Timestamp) -> Result<String, SignerError> {
        wire::cms::sign(content, &self.key_pkcs8, &self.certificate, now.as_millis() / 1000)
            .map_err(SignerError::Sign)
    }
}

/// A certificate as PEM.
pub(crate) fn pem(certificate: &[u8]) -> String {
    let text = STANDARD.encode(certificate);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}
