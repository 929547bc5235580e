//! Pages of lists: how long they are, and the tokens that lead from one to the next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use wire::{ErrorCode, ServiceError};

/// Names or ids on one page. AWS publishes no number and lets clients ask for none.
pub const PAGE: u32 = 100;

/// Seals and opens page tokens. A token says where the next page begins; its seal binds it to the list and the
/// filters it was made for, so that an altered or foreign one is refused instead of skipping entries silently.
#[derive(Clone)]
pub struct PageTokens {
    key: hmac::Key,
}

/// The longest part of a wrong token that an error repeats, in characters.
const TOKEN_SHOWN_MAX: usize = 100;

/// Bytes of the seal that a token carries: half of an HMAC-SHA256, which RFC 2104 finds enough.
const SEAL_BYTES: usize = 16;

impl PageTokens {
    /// Tokens sealed with `secret`, which all servers on one store share.
    pub fn new(secret: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The token for the page of `list` that begins after `last`.
    pub fn seal(&self, list: &str, last: &str) -> String {
        let mut bytes = self.sign(list, last)[..SEAL_BYTES].to_vec();
        bytes.extend_from_slice(last.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Where the page begins that `token` asks for; the first page without one.
    pub fn open(&self, list: &str, token: Option<&str>) -> Result<Option<String>, ServiceError> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        self.opened(list, token).map(Some).ok_or_else(|| {
            let shown: String = token.chars().take(TOKEN_SHOWN_MAX).collect();
            ServiceError::new(
                ErrorCode::InvalidNextToken,
                format!("The nextToken '{shown}' is not one that this list gave for these filters"),
            )
        })
    }

    fn opened(&self, list: &str, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (seal, last) = bytes.split_at_checked(SEAL_BYTES)?;
        let last = String::from_utf8(last.to_vec()).ok()?;
        let expected = self.sign(list, &last);
        let equal = subtle::ConstantTimeEq::ct_eq(seal, &expected[..SEAL_BYTES]);
        bool::from(equal).then_some(last)
    }

    fn sign(&self, list: &str, last: &str) -> Vec<u8> {
        // The length keeps list and place apart, whatever they hold.
        let message = format!("{}:{list}{last}", list.len());
        hmac::sign(&self.key, message.as_bytes()).as_ref().to_vec()
    }

    /// The token for what follows a page of `list` that ended at `next`.
    pub fn next(&self, list: &str, next: Option<String>) -> Option<String> {
        next.map(|place| self.seal(list, &place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_the_list_it_was_made_for() {
        let tokens = PageTokens::new(b"secret");
        let token = tokens.seal("ListApplications us-east-1", "Shop");
        let open = |list: &str, token: &str| tokens.open(list, Some(token));
        assert_eq!(open("ListApplications us-east-1", &token), Ok(Some("Shop".into())));
        assert_eq!(tokens.open("x", None), Ok(None));
        assert_eq!(open("ListApplications us-east-1", ""), Ok(None));
        let mut altered = token.clone();
        altered.replace_range(token.len() - 2.., "AA");
        for (list, token) in [
            ("ListApplications us-west-2", token.as_str()),
            ("ListApplications us-east-1", altered.as_str()),
            ("ListApplications us-east-1", "garbage!"),
            ("ListApplications us-east-1", "AAAA"),
        ] {
            assert_eq!(open(list, token).unwrap_err().code, ErrorCode::InvalidNextToken);
        }
        let stranger = PageTokens::new(b"other");
        assert!(stranger.open("ListApplications us-east-1", Some(&token)).is_err());
    }
}
