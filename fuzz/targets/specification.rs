//! Any bytes as a deployment specification: as the envelope around it, signed or not, and as the JSON inside.
#![no_main]

use agent::spec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;

/// The certificate of the key that signed `corpus/specification/signed`; the key is gone.
const PINNED: &[u8] = include_bytes!("signer.der");
/// What it signed.
const SIGNED: &[u8] = include_bytes!("signed.json");

fuzz_target!(|bytes: &[u8]| {
    let pem = format!("-----BEGIN PKCS7-----\n{}\n-----END PKCS7-----\n", wrapped(bytes));
    for text in [&pem, &*String::from_utf8_lossy(bytes)] {
        if let Ok(content) = wire::cms::verify(text, PINNED) {
            assert_eq!(content, SIGNED, "something else passes for signed");
        }
        let _ = wire::cms::verify_embedded(text);
    }
    if let Ok(specification) = spec::parse(bytes) {
        // These become names of directories.
        for id in [&specification.deployment_id, &specification.deployment_group_id] {
            assert!(!id.is_empty() && id != "." && id != ".." && !id.contains(['/', '\0']), "{id:?}");
        }
        assert!(!specification.appspec_filename.split('/').any(|part| part == ".."));
        assert!(!specification.appspec_filename.starts_with('/'));
    }
});

fn wrapped(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    lines.join("\n")
}
