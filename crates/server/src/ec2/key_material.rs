//! SSH keys: made, read, and shown in OpenSSH's formats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};

/// The public half of a key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// `rsa` or `ed25519`.
    pub(super) key_type: &'static str,
    /// As EC2 computes it: MD5 of the DER encoding for imported RSA keys, SHA-256 for the others.
    pub(super) fingerprint: String,
    /// One line as `authorized_keys` takes it.
    pub(super) line: String,
}

/// A new key pair.
pub(super) struct MadeKey {
    pub(super) public: PublicKey,
    /// In OpenSSH's format, unencrypted.
    pub(super) private_pem: String,
}

const ED25519: &str = "ssh-ed25519";
const RSA: &str = "ssh-rsa";

/// Makes an Ed25519 key pair; `name` becomes its comment.
pub(super) fn make(name: &str) -> MadeKey {
    let seed: [u8; 32] = rand::random();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("every 32 bytes are a seed");
    let public = pair.public_key().as_ref();
    let blob = blob(&[ED25519.as_bytes(), public]);
    MadeKey {
        public: PublicKey {
            key_type: "ed25519",
            fingerprint: sha256_fingerprint(&blob),
            line: format!("{ED25519} {} {name}", STANDARD.encode(&blob)),
        },
        private_pem: private_pem(&seed, public, &blob, name),
    }
}

/// Source: OpenSSH's PROTOCOL.key.
fn private_pem(seed: &[u8; 32], public: &[u8], public_blob: &[u8], comment: &str) -> String {
    let check: [u8; 4] = rand::random();
    let mut private = [check, check].concat();
    let secret = [seed, public].concat();
    private.extend(blob(&[ED25519.as_bytes(), public, &secret, comment.as_bytes()]));
    // Padded to the block size of the cipher `none`, with 1, 2, 3 …
    private.extend((1..=7).take((8 - private.len() % 8) % 8));
    let mut whole = b"openssh-key-v1\0".to_vec();
    whole.extend(blob(&[b"none", b"none", b""]));
    whole.extend(1_u32.to_be_bytes());
    whole.extend(blob(&[public_blob, &private]));
    let encoded = STANDARD.encode(whole);
    let mut pem = String::from("-----BEGIN OPENSSH PRIVATE KEY-----\n");
    for line in encoded.as_bytes().chunks(70) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem.push_str("-----END OPENSSH PRIVATE KEY-----");
    pem
}

/// Reads the base64 of an OpenSSH public key line, as `ImportKeyPair` takes it.
pub(super) fn read_public(material: &str) -> Option<PublicKey> {
    let compact: String = material.chars().filter(|c| !c.is_whitespace()).collect();
    let text = String::from_utf8(STANDARD.decode(compact).ok()?).ok()?;
    let line = text.trim();
    let mut words = line.split_whitespace();
    let kind = words.next()?;
    let blob = STANDARD.decode(words.next()?).ok()?;
    let fields = fields(&blob)?;
    if line.contains(['\n', '\r']) || fields.first() != Some(&kind.as_bytes()) {
        return None;
    }
    let (key_type, fingerprint) = match (kind, fields.as_slice()) {
        (ED25519, [_, key]) if key.len() == 32 => ("ed25519", sha256_fingerprint(&blob)),
        (RSA, [_, exponent, modulus]) => ("rsa", md5_fingerprint(&rsa_der(exponent, modulus))),
        _ => return None,
    };
    Some(PublicKey { key_type, fingerprint, line: line.to_owned() })
}

fn sha256_fingerprint(blob: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(blob))
}

fn md5_fingerprint(der: &[u8]) -> String {
    let bytes: Vec<String> = Md5::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

/// Fields as SSH writes them: each with its length in front.
fn blob(fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        let length = u32::try_from(field.len()).expect("keys are short");
        out.extend(length.to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}

fn fields(mut blob: &[u8]) -> Option<Vec<&[u8]>> {
    let mut fields = Vec::new();
    while !blob.is_empty() {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        fields.push(field);
        blob = rest;
    }
    Some(fields)
}

/// A public key as `SubjectPublicKeyInfo`. SSH's numbers are DER's already: big end first, never negative.
fn rsa_der(exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let numbers = [der(0x02, modulus), der(0x02, exponent)].concat();
    let key = [vec![0], der(0x30, &numbers)].concat();
    der(0x30, &[RSA_ENCRYPTION.to_vec(), der(0x03, &key)].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes: Vec<u8> =
                length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).expect("at most eight"));
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_is_one_that_its_reader_knows() {
        let made = make("cli");
        assert!(made.private_pem.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(made.private_pem.lines().all(|line| line.len() <= 70));
        let read = read_public(&STANDARD.encode(&made.public.line)).unwrap();
        assert_eq!(read, made.public);
    }

    #[test]
    fn an_imported_key_has_ec2s_fingerprint() {
        // The fingerprint is what `openssl rsa -pubout -outform DER | openssl md5 -c` says of the same key.
        let line = include_str!("key_material/rsa.pub");
        let read = read_public(&STANDARD.encode(line)).unwrap();
        assert_eq!(read.key_type, "rsa");
        assert_eq!(read.fingerprint, include_str!("key_material/rsa.fingerprint").trim());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "nonsense", "ssh-rsa AAAA", "ssh-ed25519 AAAAB3NzaC1yc2E= x"] {
            assert_eq!(read_public(&STANDARD.encode(text)), None, "{text}");
        }
        assert_eq!(read_public("not base64!"), None);
    }
}
