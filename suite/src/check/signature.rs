//! The signature of a webhook delivery against the published keys (section 7.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

/// How far the signature's time may be from ours, in seconds: the replay window that the text suggests.
const REPLAY_WINDOW: i64 = 300;

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    x: Option<String>,
}

/// Verifies `t=...,kid=...,ed25519=...` over the time, a dot and the raw body; the error says what is wrong.
pub fn verify_delivery(header: Option<&str>, body: &[u8], key_set: &[u8], now: i64) -> Result<(), String> {
    let header = header.ok_or("no Webhook-Signature header")?;
    let part = |name: &str| {
        header
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .ok_or_else(|| format!("no {name} in {header:?}"))
    };
    let (time, kid, signature) = (part("t")?, part("kid")?, part("ed25519")?);
    let seconds: i64 = time.parse().map_err(|_| format!("t is no Unix time: {time:?}"))?;
    if (seconds - now).abs() > REPLAY_WINDOW {
        return Err(format!("t={seconds} is {} s away from now", (seconds - now).abs()));
    }
    let key = verifying_key(key_set, kid)?;
    let bytes = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|error| format!("the signature is no unpadded base64url: {error}"))?;
    let signature =
        Signature::from_slice(&bytes).map_err(|_| format!("the signature has {} bytes", bytes.len()))?;
    let mut signed = format!("{time}.").into_bytes();
    signed.extend_from_slice(body);
    key.verify_strict(&signed, &signature)
        .map_err(|_| format!("the signature does not fit key {kid} and this body"))
}

fn verifying_key(key_set: &[u8], kid: &str) -> Result<VerifyingKey, String> {
    let set: KeySet = serde_json::from_slice(key_set).map_err(|error| format!("no key set: {error}"))?;
    let key = set.keys.iter().find(|key| key.kid.as_deref() == Some(kid));
    let x = key.and_then(|key| key.x.as_deref()).ok_or_else(|| format!("no key {kid} is published"))?;
    let bytes = URL_SAFE_NO_PAD.decode(x).map_err(|error| format!("key {kid}: {error}"))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| format!("key {kid} has not 32 bytes"))?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| format!("key {kid} is no Ed25519 key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn a_signature_fits_its_body_time_and_key_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let keys = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#);
        let sign = |text: &str| URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes());
        let header = format!("t=1000,kid=k,ed25519={}", sign("1000.body"));
        let verify = |header: &str, body: &str, now| {
            verify_delivery(Some(header), body.as_bytes(), keys.as_bytes(), now)
        };
        assert_eq!(verify(&header, "body", 1010), Ok(()));
        assert!(verify(&header, "Body", 1010).is_err());
        assert!(verify(&header, "body", 1400).is_err());
        assert!(verify(&header.replace("t=1000", "t=1001"), "body", 1010).is_err());
        assert!(verify(&header.replace("kid=k", "kid=l"), "body", 1010).is_err());
        assert!(verify("t=1000,kid=k", "body", 1010).is_err());
        assert!(verify_delivery(None, b"body", keys.as_bytes(), 1010).is_err());
    }
}
