//! Signs what topics send: one RSA key and certificate per installation, made when the first topic is.
//!
//! Receivers fetch the certificate from `SigningCertURL` and check the signature with it; SNS's own libraries do that
//! for certificates with RSA keys only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, date_time_ymd};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rsa::{Generate, Pkcs1v15Sign, PrivateKey};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use store::{Expected, Store, StoreError};

use crate::signer::pem;

/// Signs messages.
pub struct MessageSigner {
    key: PrivateKey,
    certificate_pem: String,
}

/// Which of SNS's two signatures. Source: SNS developer guide, "Verifying the signatures of Amazon SNS messages".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignatureVersion {
    /// RSA with SHA-1: what topics have unless they ask for the other.
    #[default]
    One,
    /// RSA with SHA-256.
    Two,
}

impl SignatureVersion {
    /// As attributes and messages have it.
    pub const fn number(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }
}

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
pub enum MessageSignerError {
    /// A key or certificate could not be made.
    #[error("the key that signs notifications could not be made: {0}")]
    Make(String),
    /// The kept one cannot be read.
    #[error("the key that signs notifications is damaged: {0}")]
    Damaged(String),
    /// Signing failed.
    #[error("a notification could not be signed")]
    Sign(#[source] rsa::Error),
    /// The key cannot be read or kept.
    #[error("the key that signs notifications cannot be reached")]
    Store(#[from] StoreError),
}

/// The signer as the store keeps it: a private key (PKCS#8) and a certificate, DER in base64.
#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    certificate: String,
}

const KIND: &str = "server.secret";
const NAME: &str = "sns-signer";

impl MessageSigner {
    /// The installation's signer, made now if there is none. Of several servers that make one, the first wins.
    ///
    /// # Errors
    /// The store failed, or the machine has no randomness to give.
    pub async fn of(store: &Store) -> Result<Self, MessageSignerError> {
        loop {
            if let Some(found) = store.document::<Kept>(KIND, NAME).await? {
                return Self::open(&found.value);
            }
            // A second of work.
            let made = tokio::task::spawn_blocking(make).await;
            let made = made.map_err(|error| MessageSignerError::Make(error.to_string()))??;
            store.put_document(KIND, NAME, Expected::Absent, &made).await?;
        }
    }

    fn open(kept: &Kept) -> Result<Self, MessageSignerError> {
        let damaged = |error: String| MessageSignerError::Damaged(error);
        let key = STANDARD.decode(&kept.key).map_err(|error| damaged(error.to_string()))?;
        let key = PrivateKey::from_pkcs8_der(&key).map_err(|error| damaged(error.to_string()))?;
        let certificate = STANDARD.decode(&kept.certificate);
        let certificate = certificate.map_err(|error| damaged(error.to_string()))?;
        Ok(Self { key, certificate_pem: pem(&certificate) })
    }

    /// The certificate, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The signature of `text`, in base64.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(
        &self,
        text: &str,
        version: SignatureVersion,
    ) -> Result<String, MessageSignerError> {
        let signature = match version {
            SignatureVersion::One => {
                self.key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text.as_bytes()))
            }
            SignatureVersion::Two => {
                self.key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text.as_bytes()))
            }
        };
        signature.map(|signature| STANDARD.encode(signature)).map_err(MessageSignerError::Sign)
    }
}

fn make() -> Result<Kept, MessageSignerError> {
    let failed = |error: String| MessageSignerError::Make(error);
    let key = PrivateKey::generate();
    let key = key.to_pkcs8_der().map_err(|error| failed(error.to_string()))?;
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&key.as_bytes().into(), &PKCS_RSA_SHA256);
    let pair = pair.map_err(|error| failed(error.to_string()))?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "longshore notifications");
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2099, 12, 31);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let certificate = parameters.self_signed(&pair).map_err(|error| failed(error.to_string()))?;
    Ok(Kept {
        key: STANDARD.encode(key.as_bytes()),
        certificate: STANDARD.encode(certificate.der()),
    })
}
