//! The signature of events: receivers can tell that an event is this server's, and that it is fresh.
//!
//! Source: Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,BASE64`, the last an
//! HMAC-SHA256 of `ID.TIMESTAMP.BODY`. Libraries that verify it exist in many languages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use model::Timestamp;
use sha2::Sha256;

/// What secrets begin with whose rest is base64.
const PREFIX: &str = "whsec_";

/// A new secret: 192 random bits.
pub(super) fn draw_secret() -> String {
    let secret: [u8; 24] = rand::random();
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// Whether signatures can be made with it: a text of one's own, or the prefix and base64 of as many bytes as make it hard
/// to guess.
pub(super) fn is_secret(secret: &str) -> bool {
    match secret.strip_prefix(PREFIX) {
        Some(rest) => STANDARD.decode(rest).is_ok_and(|key| key.len() >= 16),
        None => true,
    }
}

/// The key that a secret stands for: what follows the prefix in base64, or the secret's own bytes.
pub(super) fn key(secret: &str) -> Vec<u8> {
    let decoded = secret.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
    decoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// The headers that a message is sent with, now.
pub(super) fn headers(secret: &str, id: &str, body: &str, now: Timestamp) -> [(String, String); 3] {
    let seconds = now.as_millis().div_euclid(1000);
    let signature = sign(&key(secret), &format!("{id}.{seconds}.{body}"));
    [
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), seconds.to_string()),
        ("webhook-signature".to_owned(), format!("v1,{signature}")),
    ]
}

fn sign(key: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC takes keys of any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let now = Timestamp::from_millis(1_614_265_330_000);
        let headers =
            headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232314}", now);
        assert_eq!(headers[1].1, "1614265330");
        assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_of_ones_own_is_used_as_it_is() {
        assert_eq!(key("a secret of my own"), b"a secret of my own");
        assert_eq!(key(&draw_secret()).len(), 24);
    }
}
