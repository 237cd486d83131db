//! Callback and claim tokens: JSON Web Tokens under HMAC-SHA-256 (section 12.9).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::refusal::Refusal;
use crate::sabotage::{Switch, Switches};

/// Every token has this header; another one, and with it another algorithm, is never read.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The server's secret for tokens. It lives as long as the process: wakes do not outlive it either.
pub(super) struct TokenKey([u8; 32]);

/// What a token says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    #[serde(rename = "sub")]
    pub(super) subscription: String,
    #[serde(rename = "use")]
    pub(super) purpose: Purpose,
    pub(super) generation: u64,
    pub(super) wake_id: String,
    /// Unix seconds.
    #[serde(rename = "exp")]
    pub(super) expires: i64,
}

/// The endpoints a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Purpose {
    Callback,
    Claim,
}

impl TokenKey {
    pub(super) fn random(rng: &mut impl Rng) -> Self {
        Self(rng.random())
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        let payload = serde_json::to_vec(claims).expect("claims are plain JSON");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Reads a token that this key signed for `purpose` and that has not expired at `now`, in Unix seconds.
    pub(super) fn verify(
        &self,
        token: &str,
        purpose: Purpose,
        now: i64,
        switches: Switches,
    ) -> Result<Claims, Refusal> {
        let claims = self.authentic(token).ok_or(Refusal::TokenInvalid)?;
        if claims.purpose != purpose && !switches.on(Switch::TokenPurposeUnchecked) {
            return Err(Refusal::TokenInvalid);
        }
        if claims.expires <= now {
            return Err(Refusal::TokenExpired);
        }
        Ok(claims)
    }

    fn authentic(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(signed).verify_slice(&signature).ok()?;
        let (_, payload) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(signed.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn claims() -> Claims {
        Claims {
            subscription: "sub/1".to_owned(),
            purpose: Purpose::Claim,
            generation: 7,
            wake_id: "w_1".to_owned(),
            expires: 1000,
        }
    }

    #[test]
    fn a_token_says_what_was_signed() {
        let key = TokenKey::random(&mut StdRng::seed_from_u64(1));
        let token = key.sign(&claims());
        assert_eq!(key.verify(&token, Purpose::Claim, 999, Switches::NONE), Ok(claims()));
        assert_eq!(key.verify(&token, Purpose::Claim, 1000, Switches::NONE), Err(Refusal::TokenExpired));
        assert_eq!(key.verify(&token, Purpose::Callback, 999, Switches::NONE), Err(Refusal::TokenInvalid));
    }

    #[test]
    fn every_altered_token_is_refused() {
        let mut rng = StdRng::seed_from_u64(1);
        let (key, other) = (TokenKey::random(&mut rng), TokenKey::random(&mut rng));
        let token = key.sign(&claims());
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(key.verify(&altered, Purpose::Claim, 0, Switches::NONE).is_err(), "at {at}");
            assert!(key.verify(&token[..at], Purpose::Claim, 0, Switches::NONE).is_err(), "cut at {at}");
        }
        assert!(other.verify(&token, Purpose::Claim, 0, Switches::NONE).is_err());
        assert!(key.verify("", Purpose::Claim, 0, Switches::NONE).is_err());
        assert!(key.verify("..", Purpose::Claim, 0, Switches::NONE).is_err());
    }
}
