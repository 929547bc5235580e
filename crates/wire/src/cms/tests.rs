//! What the pinned signer signed is believed, nothing else is, and OpenSSL agrees.

use std::process::Command;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};

use super::*;

const CONTENT: &[u8] = br#"{"DeploymentId":"d-ABCDEF123","Revision":{"RevisionType":"S3"}}"#;
const NOW: i64 = 1_750_000_000;

struct Signer {
    key: Vec<u8>,
    certificate: Vec<u8>,
    pem: String,
}

fn signer() -> Signer {
    signer_until(2099)
}

fn signer_until(year: i32) -> Signer {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params.not_after = rcgen::date_time_ymd(year, 12, 31);
    params.distinguished_name.push(DnType::CommonName, "longshore signer");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::CodeSigning, ExtendedKeyUsagePurpose::EmailProtection];
    let certificate = params.self_signed(&key).expect("a certificate");
    Signer {
        key: key.serialize_der(),
        certificate: certificate.der().to_vec(),
        pem: certificate.pem(),
    }
}

fn signed(signer: &Signer) -> String {
    sign(CONTENT, &signer.key, &signer.certificate, NOW).expect("signed")
}

#[test]
fn the_pinned_signers_content_comes_back() {
    let signer = signer();
    let pem = signed(&signer);
    assert!(pem.starts_with("-----BEGIN PKCS7-----\n"), "{pem}");
    assert!(pem.ends_with("-----END PKCS7-----\n"), "{pem}");
    assert_eq!(verify(&pem, &signer.certificate).expect("valid"), CONTENT);
    let pinned = certificate_from_pem(&format!("{}{}", signer.pem, signer.pem)).expect("PEM");
    assert_eq!(pinned, signer.certificate);
    let far = sign(CONTENT, &signer.key, &signer.certificate, 4_102_444_800).expect("after 2050");
    assert!(verify(&far, &signer.certificate).is_ok());
}

#[test]
fn another_signer_is_refused_whatever_it_embeds() {
    let (ours, other) = (signer(), signer());
    let outcome = verify(&signed(&other), &ours.certificate);
    assert!(matches!(outcome, Err(CmsError::OtherSigner)), "{outcome:?}");
    // Our certificate around another's signature.
    let forged = sign(CONTENT, &other.key, &ours.certificate, NOW).expect("signed");
    let outcome = verify(&forged, &ours.certificate);
    assert!(matches!(outcome, Err(CmsError::SignatureMismatch)), "{outcome:?}");
}

#[test]
fn a_certificate_that_has_run_out_signs_nothing_and_a_clock_may_be_wrong_by_a_day() {
    let signer = signer_until(2001);
    // 2001-12-31T00:00:00Z.
    let end = 1_009_756_800;
    for (now, is_valid) in [(0, true), (end, true), (end + 86_400, true), (end + 2 * 86_400, false)]
    {
        let outcome = check_validity(&signer.certificate, now);
        assert_eq!(outcome.is_ok(), is_valid, "{now}: {outcome:?}");
    }
    let said = check_validity(&signer.certificate, NOW).unwrap_err().to_string();
    assert!(said.contains("valid until 2001-12-31T00:00:00Z"), "{said}");
    // It is no more than the pin: an expired certificate of somebody else is somebody else's.
    let outcome = verify(&signed(&signer), &signer_until(2099).certificate);
    assert!(matches!(outcome, Err(CmsError::OtherSigner)), "{outcome:?}");
}

#[test]
fn without_a_pin_any_signer_will_do_but_no_alteration() {
    let (one, other) = (signer(), signer());
    assert_eq!(verify_embedded(&signed(&one)).expect("valid"), CONTENT);
    let forged = sign(CONTENT, &other.key, &one.certificate, NOW).expect("signed");
    assert!(matches!(verify_embedded(&forged), Err(CmsError::SignatureMismatch)));
}

#[test]
fn no_byte_can_be_altered() {
    let signer = signer();
    let (_, der) = der::pem::decode_vec(signed(&signer).as_bytes()).expect("PEM");
    let content_at =
        der.windows(CONTENT.len()).position(|window| window == CONTENT).expect("content");
    for at in 0..der.len() {
        let mut altered = der.clone();
        altered[at] ^= 0x01;
        let pem = der::pem::encode_string(LABEL, der::pem::LineEnding::LF, &altered).expect("PEM");
        let outcome = verify(&pem, &signer.certificate);
        if (content_at..content_at + CONTENT.len()).contains(&at) {
            assert!(matches!(outcome, Err(CmsError::DigestMismatch)), "{at}: {outcome:?}");
        } else if let Ok(content) = outcome {
            // Parts that nothing signs, such as version numbers, change no meaning.
            assert_eq!(content, CONTENT, "{at}");
        }
    }
}

#[test]
fn what_is_not_our_form_is_told() {
    let signer = signer();
    let pem = signed(&signer);
    let outcome = verify(&pem.replace("PKCS7", "CMS"), &signer.certificate);
    assert!(matches!(outcome, Err(CmsError::Label { found }) if found == "CMS"));
    assert!(matches!(verify("{}", &signer.certificate), Err(CmsError::Pem(_))));
    assert!(matches!(verify(&pem, b"x"), Err(CmsError::Certificate(_))));
    let not_cms = signer.pem.replace("CERTIFICATE", "PKCS7");
    assert!(matches!(verify(&not_cms, &signer.certificate), Err(CmsError::Form(_))));
    assert!(matches!(sign(CONTENT, b"x", &signer.certificate, NOW), Err(CmsError::Key(_))));
    assert!(matches!(certificate_from_pem(&pem), Err(CmsError::Label { .. })));
}

#[test]
fn openssl_accepts_what_we_sign_and_nothing_altered() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: no openssl command on this machine");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let pem = signed(&signer());
    let accepted = |pem: &str| {
        let path = directory.path().join("signed.pem");
        std::fs::write(&path, pem).expect("written");
        Command::new("openssl")
            .args(["smime", "-verify", "-noverify", "-inform", "PEM", "-in"])
            .arg(path)
            .output()
            .expect("openssl runs")
    };
    let output = accepted(&pem);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, CONTENT);
    let (_, mut altered) = der::pem::decode_vec(pem.as_bytes()).expect("PEM");
    let at = altered.windows(CONTENT.len()).position(|window| window == CONTENT).expect("content");
    altered[at + 20] ^= 1;
    let altered = der::pem::encode_string(LABEL, der::pem::LineEnding::LF, &altered).expect("PEM");
    assert!(!accepted(&altered).status.success());
}
