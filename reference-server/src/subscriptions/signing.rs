//! Signatures of webhook deliveries and the keys to verify them with (sections 6.5 and 7.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::sabotage::DeliveryFaults;

/// The key that signs, and the ones that did.
pub(super) struct KeyRing {
    active: NamedKey,
    retired: Vec<RetiredKey>,
}

struct NamedKey {
    kid: String,
    key: SigningKey,
}

struct RetiredKey {
    jwk: Jwk,
    /// Unix seconds after which no receiver accepts a signature of this key any more.
    published_until: i64,
}

/// A JSON Web Key Set (RFC 7517) of public keys only.
#[derive(Clone, Debug, Serialize)]
pub(super) struct JwkSet {
    keys: Vec<Jwk>,
}

/// A public Ed25519 key (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Jwk {
    kty: &'static str,
    crv: &'static str,
    kid: String,
    r#use: &'static str,
    alg: &'static str,
    x: String,
}

impl KeyRing {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { active: NamedKey::new(seed), retired: Vec::new() }
    }

    /// The name of the key that signs now.
    pub(super) fn active_kid(&self) -> &str {
        &self.active.kid
    }

    /// Signs with a new key from `now` on, in Unix seconds. The old one stays published for `window` seconds.
    pub(super) fn rotate(&mut self, seed: [u8; 32], now: i64, window: u64) {
        let old = std::mem::replace(&mut self.active, NamedKey::new(seed));
        let published_until = now.saturating_add_unsigned(window);
        self.retired.retain(|key| now < key.published_until);
        self.retired.push(RetiredKey { jwk: old.jwk(), published_until });
    }

    /// The public keys whose signatures may still be accepted at `now`, in Unix seconds.
    pub(super) fn jwks(&self, now: i64) -> JwkSet {
        let retired = self.retired.iter().filter(|key| now < key.published_until).map(|key| key.jwk.clone());
        JwkSet { keys: std::iter::once(self.active.jwk()).chain(retired).collect() }
    }

    /// The value of `Webhook-Signature` for `body` sent at `now`, in Unix seconds.
    pub(super) fn signature_header(&self, body: &[u8], now: i64, faults: &DeliveryFaults<'_>) -> String {
        let time = faults.signing_time(now.to_string());
        let signed = faults.signed([time.as_bytes(), b".", body].concat());
        let signature = URL_SAFE_NO_PAD.encode(self.active.key.sign(&signed).to_bytes());
        let kid = faults.kid(self.active.kid.clone());
        format!("t={time},kid={kid},ed25519={}", faults.signature(signature))
    }
}

impl NamedKey {
    fn new(seed: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&seed);
        // The prefix is the one of the protocol's examples, which some receivers expect.
        let kid = format!("ds_{}", thumbprint(&key.verifying_key()));
        Self { kid, key }
    }

    fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP",
            crv: "Ed25519",
            kid: self.kid.clone(),
            r#use: "sig",
            alg: "EdDSA",
            x: URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes()),
        }
    }
}

/// The JWK thumbprint of RFC 7638: a digest of the required members, in the order of their names.
fn thumbprint(key: &VerifyingKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signature;

    use super::*;

    /// The key of RFC 8037, appendix A, and its thumbprint as given there.
    #[test]
    fn the_kid_is_the_thumbprint() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let ring = KeyRing::new(seed.try_into().unwrap());
        assert_eq!(ring.active_kid(), "ds_kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(ring.jwks(0).keys[0].x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }

    #[test]
    fn a_signature_holds_for_its_body_and_time_only() {
        let ring = KeyRing::new([7; 32]);
        let header = ring.signature_header(b"{}", 1000, &DeliveryFaults::default());
        let (start, signature) = header.split_once(",ed25519=").unwrap();
        assert_eq!(start, format!("t=1000,kid={}", ring.active_kid()));
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let signature = Signature::from_slice(&bytes).unwrap();
        let key = ring.active.key.verifying_key();
        assert!(key.verify_strict(b"1000.{}", &signature).is_ok());
        assert!(key.verify_strict(b"1001.{}", &signature).is_err());
        assert!(key.verify_strict(b"1000.[]", &signature).is_err());
    }

    #[test]
    fn a_retired_key_stays_published_for_the_replay_window() {
        let mut ring = KeyRing::new([1; 32]);
        let old = ring.jwks(0).keys[0].clone();
        ring.rotate([2; 32], 1000, 300);
        assert_ne!(ring.active_kid(), old.kid);
        assert!(ring.jwks(1299).keys.contains(&old));
        assert_eq!(ring.jwks(1299).keys.len(), 2);
        assert!(!ring.jwks(1300).keys.contains(&old));
        assert!(!serde_json::to_string(&ring.jwks(0)).unwrap().contains(r#""d""#));
    }
}
