//! Takes a `SignedData` apart and believes its content only if the pinned signer signed it.

use ::cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use ::cms::content_info::ContentInfo;
use ::cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use x509_cert::Certificate;
use x509_cert::attr::Attributes;

use super::{
    CmsError, ID_CONTENT_TYPE, ID_DATA, ID_ECDSA_WITH_SHA_256, ID_MESSAGE_DIGEST, ID_SHA_256,
    ID_SIGNED_DATA, LABEL,
};

/// The content of a signed document, if the certificate `pinned` (DER) signed it.
pub fn verify(pem: &str, pinned: &[u8]) -> Result<Vec<u8>, CmsError> {
    let pinned = Certificate::from_der(pinned).map_err(CmsError::Certificate)?;
    let signed = signed_data(pem)?;
    if embedded(&signed)? != &pinned {
        return Err(CmsError::OtherSigner);
    }
    content_signed_by(&signed, &pinned)
}

/// A clock may be wrong by this many seconds before a certificate counts as run out.
const CLOCK_SECONDS: u64 = 24 * 60 * 60;

/// Whether a certificate (DER) may still sign, at `now` in seconds since the epoch. From when on it may is not looked at: a clock
/// that is behind is no reason to refuse.
///
/// # Errors
/// It cannot be read, or has run out more than a day ago.
pub fn check_validity(certificate: &[u8], now: i64) -> Result<(), CmsError> {
    let certificate = Certificate::from_der(certificate).map_err(CmsError::Certificate)?;
    let until = certificate.tbs_certificate.validity.not_after;
    let end = until.to_unix_duration().as_secs().saturating_add(CLOCK_SECONDS);
    if u64::try_from(now).is_ok_and(|now| now > end) {
        return Err(CmsError::Expired { until: until.to_date_time().to_string() });
    }
    Ok(())
}

/// The content of a signed document, whoever signed it.
///
/// It shows only that nobody altered the content after signing, as official agents check it: who signed must be
/// known by other means, such as TLS. Where a certificate is pinned, [`verify`] is the function to call.
pub fn verify_embedded(pem: &str) -> Result<Vec<u8>, CmsError> {
    let signed = signed_data(pem)?;
    content_signed_by(&signed, embedded(&signed)?)
}

fn content_signed_by(signed: &SignedData, certificate: &Certificate) -> Result<Vec<u8>, CmsError> {
    let [signer] = signed.signer_infos.0.as_slice() else {
        return Err(CmsError::Unsupported("must have exactly one signer"));
    };
    check_signer(signer, certificate)?;
    let attributes =
        signer.signed_attrs.as_ref().ok_or(CmsError::Unsupported("has no signed attributes"))?;
    let content = content(signed)?;
    check_content(attributes, &content)?;
    check_signature(signer, attributes, certificate)?;
    Ok(content)
}

fn signed_data(pem: &str) -> Result<SignedData, CmsError> {
    let (label, der) = der::pem::decode_vec(pem.as_bytes()).map_err(CmsError::Pem)?;
    if label != LABEL {
        return Err(CmsError::Label { found: label.to_owned() });
    }
    let outer = ContentInfo::from_der(&der).map_err(CmsError::Form)?;
    if outer.content_type != ID_SIGNED_DATA {
        return Err(CmsError::Unsupported("is not of the type SignedData"));
    }
    outer.content.decode_as().map_err(CmsError::Form)
}

fn embedded(signed: &SignedData) -> Result<&Certificate, CmsError> {
    let certificates = signed.certificates.as_ref().map_or(&[][..], |set| set.0.as_slice());
    match certificates {
        [CertificateChoices::Certificate(certificate)] => Ok(certificate),
        _ => Err(CmsError::Unsupported("must have exactly one certificate")),
    }
}

fn check_signer(signer: &SignerInfo, certificate: &Certificate) -> Result<(), CmsError> {
    let expected = IssuerAndSerialNumber {
        issuer: certificate.tbs_certificate.issuer.clone(),
        serial_number: certificate.tbs_certificate.serial_number.clone(),
    };
    if signer.sid != SignerIdentifier::IssuerAndSerialNumber(expected) {
        return Err(CmsError::OtherSigner);
    }
    let algorithms = (signer.digest_alg.oid, signer.signature_algorithm.oid);
    if algorithms != (ID_SHA_256, ID_ECDSA_WITH_SHA_256) {
        return Err(CmsError::Unsupported("must be signed with ECDSA and SHA-256"));
    }
    Ok(())
}

fn content(signed: &SignedData) -> Result<Vec<u8>, CmsError> {
    let inner = &signed.encap_content_info;
    if inner.econtent_type != ID_DATA {
        return Err(CmsError::Unsupported("must hold plain data"));
    }
    let content =
        inner.econtent.as_ref().ok_or(CmsError::Unsupported("does not hold its content"))?;
    let content: OctetString = content.decode_as().map_err(CmsError::Form)?;
    Ok(content.into_bytes())
}

fn check_content(attributes: &Attributes, content: &[u8]) -> Result<(), CmsError> {
    let content_type: ObjectIdentifier =
        single(attributes, ID_CONTENT_TYPE)?.decode_as().map_err(CmsError::Form)?;
    if content_type != ID_DATA {
        return Err(CmsError::Unsupported("must hold plain data"));
    }
    let stated: OctetString =
        single(attributes, ID_MESSAGE_DIGEST)?.decode_as().map_err(CmsError::Form)?;
    let found = Sha256::digest(content);
    if bool::from(found.as_slice().ct_eq(stated.as_bytes())) {
        Ok(())
    } else {
        Err(CmsError::DigestMismatch)
    }
}

/// The one value of an attribute that must come once. Source: RFC 5652, 11.1 and 11.2.
fn single(attributes: &Attributes, oid: ObjectIdentifier) -> Result<&Any, CmsError> {
    let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
    match (found.next().map(|attribute| attribute.values.as_slice()), found.next()) {
        (Some([value]), None) => Ok(value),
        _ => Err(CmsError::Unsupported("lacks a signed attribute or has it twice")),
    }
}

fn check_signature(
    signer: &SignerInfo,
    attributes: &Attributes,
    certificate: &Certificate,
) -> Result<(), CmsError> {
    // The signature covers the attributes as a `SET OF`, not in the implicitly tagged form they come in.
    let covered = attributes.to_der().map_err(CmsError::Form)?;
    let key = certificate.tbs_certificate.subject_public_key_info.subject_public_key.raw_bytes();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
        .verify(&covered, signer.signature.as_bytes())
        .map_err(|_| CmsError::SignatureMismatch)
}
