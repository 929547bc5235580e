//! The tokens of version 2 of the metadata service.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use ring::hmac;
use ring::rand::SystemRandom;

/// The longest life of a token, in seconds. Source: EC2 user guide, "Use IMDSv2".
const SECONDS_MAX: u64 = 21_600;

/// Makes and checks tokens without remembering them: a token carries its end, under a key of this instance's service.
pub struct Tokens {
    key: hmac::Key,
    count: AtomicU64,
}

/// A new token.
pub struct Issued {
    pub token: String,
    /// How long it is good for.
    pub seconds: u64,
}

/// What a request's token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenCheck {
    /// There is none: a request of version 1.
    Absent,
    Good,
    Refused,
}

/// Tokens under a key of their own; those of an earlier run of the server are refused, and clients fetch anew.
impl Default for Tokens {
    fn default() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .expect("the system's random numbers are always there");
        Self { key, count: AtomicU64::new(0) }
    }
}

impl Tokens {
    /// A token that is good for so many seconds; `None` if that is not 1 to 21600.
    pub fn issue(&self, seconds: u64, now: Timestamp) -> Option<Issued> {
        if !(1..=SECONDS_MAX).contains(&seconds) {
            return None;
        }
        let end = now + std::time::Duration::from_secs(seconds);
        let mut token = Vec::with_capacity(48);
        token.extend(end.as_millis().to_be_bytes());
        token.extend(self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let tag = hmac::sign(&self.key, &token);
        token.extend(tag.as_ref());
        Some(Issued { token: URL_SAFE_NO_PAD.encode(token), seconds })
    }

    /// What the token shown at `now` is worth.
    pub fn check(&self, shown: Option<&str>, now: Timestamp) -> TokenCheck {
        let Some(shown) = shown else { return TokenCheck::Absent };
        match URL_SAFE_NO_PAD.decode(shown).ok().and_then(|token| self.end(&token)) {
            Some(end) if now < end => TokenCheck::Good,
            Some(_) | None => TokenCheck::Refused,
        }
    }

    fn end(&self, token: &[u8]) -> Option<Timestamp> {
        let (claim, tag) = token.split_at_checked(16)?;
        hmac::verify(&self.key, claim, tag).ok()?;
        let end = claim.first_chunk::<8>()?;
        Some(Timestamp::from_millis(i64::from_be_bytes(*end)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_token_is_good_until_its_end_and_for_its_instance() {
        let now = Timestamp::from_millis(1_000);
        let tokens = Tokens::default();
        let issued = tokens.issue(10, now).unwrap();
        assert_eq!(tokens.check(Some(&issued.token), now), TokenCheck::Good);
        assert_eq!(
            tokens.check(Some(&issued.token), now + Duration::from_secs(10)),
            TokenCheck::Refused
        );
        assert_eq!(Tokens::default().check(Some(&issued.token), now), TokenCheck::Refused);
        assert_eq!(tokens.check(Some(""), now), TokenCheck::Refused);
        assert_ne!(issued.token, tokens.issue(10, now).unwrap().token);
    }
}
