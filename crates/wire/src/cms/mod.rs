//! The signed deployment specification: a document inside a CMS `SignedData`, as PEM text labelled `PKCS7`.
//!
//! The server signs with a P-256 key of its own; an agent accepts only what the signer certificate that was pinned
//! when it was installed has signed. Verifying means: exactly one signer, its certificate *is* the pinned one, the
//! digest is the content's, the signature is the certificate's. There is deliberately no chain and no
//! purpose to check, because the certificate itself is what is trusted; [`check_validity`] tells whether it still may be. Official agents accept the same form.
//!
//! Only what [`sign`] writes need be read: DER, SHA-256, ECDSA. OpenSSL's streamed (indefinite-length) output is refused.
//! Source: RFC 5652; the official agent's way of verifying.

mod sign;
mod verify;

use der::asn1::ObjectIdentifier;

pub use sign::sign;
pub use verify::{check_validity, verify, verify_embedded};

/// The PEM label that official agents look for.
const LABEL: &str = "PKCS7";

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ID_CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const ID_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const ID_SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const ID_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const ID_ECDSA_WITH_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// Why a document could not be signed, or is not the pinned signer's.
#[derive(Debug, thiserror::Error)]
pub enum CmsError {
    /// The private key is not a P-256 key in PKCS #8 form.
    #[error("the signing key is not a P-256 key in PKCS #8 form: {0}")]
    Key(String),
    /// A certificate cannot be read.
    #[error("the signer certificate cannot be read")]
    Certificate(#[source] der::Error),
    /// The random source failed while signing.
    #[error("the document could not be signed")]
    Sign,
    /// The text is not PEM.
    #[error("the signed document is not PEM text: {0}")]
    Pem(der::pem::Error),
    /// The text is PEM of something else.
    #[error("the signed document is labelled `{found}`, not `{LABEL}`")]
    Label {
        /// The label found.
        found: String,
    },
    /// The bytes are not a `SignedData`, or not in DER.
    #[error("the signed document is not DER (indefinite lengths are not read)")]
    Form(#[source] der::Error),
    /// The form is right, but not the one we sign in.
    #[error("the signed document {0}")]
    Unsupported(&'static str),
    /// Signed, but not by the pinned certificate, or not by the one that came along.
    #[error("the document is signed by another certificate than the one expected")]
    OtherSigner,
    /// The signer's certificate has run out.
    #[error(
        "the signer's certificate was valid until {until}: pin the one that the control plane signs with now"
    )]
    Expired {
        /// In ISO 8601.
        until: String,
    },
    /// The content is not what was signed.
    #[error("the content of the signed document was altered: digest mismatch")]
    DigestMismatch,
    /// The signature is not the certificate's.
    #[error("the signature of the signed document is wrong")]
    SignatureMismatch,
}

/// The DER of the first certificate in PEM text, as [`verify`] takes it.
pub fn certificate_from_pem(pem: &str) -> Result<Vec<u8>, CmsError> {
    // Only the first block: a file may hold a chain, and whoever wrote it put the signer first.
    const END: &str = "-----END CERTIFICATE-----";
    let pem = pem.trim_start();
    let first = pem.find(END).map_or(pem, |at| &pem[..at + END.len()]);
    let (label, der) = der::pem::decode_vec(first.as_bytes()).map_err(CmsError::Pem)?;
    if label != "CERTIFICATE" {
        return Err(CmsError::Label { found: label.to_owned() });
    }
    Ok(der)
}

#[cfg(test)]
mod tests;
