//! Builds the `SignedData`.

use std::time::Duration;

use ::cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use ::cms::content_info::{CmsVersion, ContentInfo};
use ::cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec, UtcTime};
use der::pem::LineEnding;
use der::{Any, Decode, Encode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{
    CmsError, ID_CONTENT_TYPE, ID_DATA, ID_ECDSA_WITH_SHA_256, ID_MESSAGE_DIGEST, ID_SHA_256,
    ID_SIGNED_DATA, ID_SIGNING_TIME, LABEL,
};

/// Signs `content` and answers the PEM text, content and certificate included.
///
/// `key` is a P-256 key in PKCS #8 DER, `certificate` its certificate in DER, `now` the signing time in seconds
/// since the epoch. ECDSA draws a random number, so two signatures of the same content differ.
pub fn sign(content: &[u8], key: &[u8], certificate: &[u8], now: i64) -> Result<String, CmsError> {
    let certificate = Certificate::from_der(certificate).map_err(CmsError::Certificate)?;
    let attributes = signed_attributes(content, now).map_err(CmsError::Form)?;
    // The signature covers the attributes as a `SET OF`, not in the implicitly tagged form they are sent in.
    let signature = sign_bytes(&attributes.to_der().map_err(CmsError::Form)?, key)?;
    let signed = signed_data(content, certificate, attributes, signature);
    let der = signed.and_then(|signed| signed.to_der()).map_err(CmsError::Form)?;
    der::pem::encode_string(LABEL, LineEnding::LF, &der).map_err(CmsError::Pem)
}

fn sign_bytes(bytes: &[u8], key: &[u8]) -> Result<Vec<u8>, CmsError> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key, &random)
        .map_err(|error| CmsError::Key(error.to_string()))?;
    let signature = key.sign(&random, bytes).map_err(|_| CmsError::Sign)?;
    Ok(signature.as_ref().to_vec())
}

fn signed_attributes(content: &[u8], now: i64) -> der::Result<Attributes> {
    let digest = OctetString::new(Sha256::digest(content).to_vec())?;
    SetOfVec::try_from(vec![
        attribute(ID_CONTENT_TYPE, Any::encode_from(&ID_DATA)?)?,
        attribute(ID_MESSAGE_DIGEST, Any::encode_from(&digest)?)?,
        attribute(ID_SIGNING_TIME, signing_time(now)?)?,
    ])
}

fn attribute(oid: ObjectIdentifier, value: Any) -> der::Result<Attribute> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

/// `UTCTime` up to 2049, `GeneralizedTime` after that. Source: RFC 5652, 11.3.
fn signing_time(now: i64) -> der::Result<Any> {
    let since_epoch = Duration::from_secs(now.max(0).unsigned_abs());
    match UtcTime::from_unix_duration(since_epoch) {
        Ok(time) => Any::encode_from(&time),
        Err(_) => Any::encode_from(&GeneralizedTime::from_unix_duration(since_epoch)?),
    }
}

fn signed_data(
    content: &[u8],
    certificate: Certificate,
    attributes: Attributes,
    signature: Vec<u8>,
) -> der::Result<ContentInfo> {
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: certificate.tbs_certificate.issuer.clone(),
            serial_number: certificate.tbs_certificate.serial_number.clone(),
        }),
        digest_alg: algorithm(ID_SHA_256),
        signed_attrs: Some(attributes),
        signature_algorithm: algorithm(ID_ECDSA_WITH_SHA_256),
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let content = OctetString::new(content)?;
    let signed = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![algorithm(ID_SHA_256)])?,
        encap_content_info: EncapsulatedContentInfo {
            econtent_type: ID_DATA,
            econtent: Some(Any::encode_from(&content)?),
        },
        certificates: Some(CertificateSet(SetOfVec::try_from(vec![
            CertificateChoices::Certificate(certificate),
        ])?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::try_from(vec![signer])?),
    };
    Ok(ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(&signed)? })
}

fn algorithm(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters: None }
}
