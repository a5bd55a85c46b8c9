//! JSON Web Tokens, signed with HS256, and the words of `PyJWT` for what is wrong with them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::same;
use crate::emulator::clock;

/// Why a token does not count.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    Expired,
    Other(&'static str),
}

/// The claims of a token that holds.
pub(super) fn verify(token: &str, secret: &str, audience: Option<&str>) -> Result<Value, Invalid> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Invalid::Other("Not enough segments"))?;
    let (header, payload) = signed.split_once('.').ok_or(Invalid::Other("Not enough segments"))?;
    let header = decode(header).ok_or(Invalid::Other("Invalid header padding"))?;
    let header: Value = serde_json::from_slice(&header)
        .map_err(|_| Invalid::Other("Invalid header string: must be a json object"))?;
    let payload = decode(payload).ok_or(Invalid::Other("Invalid payload padding"))?;
    let signature = decode(signature).ok_or(Invalid::Other("Invalid crypto padding"))?;
    if header["alg"] != "HS256" {
        return Err(Invalid::Other("The specified alg value is not allowed"));
    }
    if !same(&sign(signed.as_bytes(), secret.as_bytes()), &signature) {
        return Err(Invalid::Other("Signature verification failed"));
    }
    let claims: Value = serde_json::from_slice(&payload)
        .map_err(|_| Invalid::Other("Invalid payload string: must be a json object"))?;
    check(&claims, audience)?;
    Ok(claims)
}

fn check(claims: &Value, audience: Option<&str>) -> Result<(), Invalid> {
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch fit 53 bits")]
    let now = clock::epoch() as f64;
    if claims["iat"].as_f64().is_some_and(|issued| issued > now) {
        return Err(Invalid::Other("The token is not yet valid (iat)"));
    }
    if claims["nbf"].as_f64().is_some_and(|first| first > now) {
        return Err(Invalid::Other("The token is not yet valid (nbf)"));
    }
    if claims["exp"].as_f64().is_some_and(|last| last <= now) {
        return Err(Invalid::Expired);
    }
    let Some(audience) = audience else { return Ok(()) };
    match &claims["aud"] {
        Value::Null => Err(Invalid::Other("Token is missing the \"aud\" claim")),
        Value::Array(all) if all.contains(&json!(audience)) => Ok(()),
        Value::String(one) if one == audience => Ok(()),
        _ => Err(Invalid::Other("Audience doesn't match")),
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}

/// HMAC with SHA-256.
fn sign(message: &[u8], secret: &[u8]) -> [u8; 32] {
    let mut key = [0_u8; 64];
    if secret.len() > key.len() {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes(), secret.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let hex = sign(b"what do ya want for nothing?", b"Jefe").map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn tokens_hold_for_their_time_and_their_audience() {
        let now = clock::epoch();
        let good = token(&json!({ "sub": "alice", "exp": now + 60, "aud": ["os"] }), "s");
        assert_eq!(verify(&good, "s", Some("os")).map(|claims| claims["sub"].clone()), Ok(json!("alice")));
        assert_eq!(verify(&good, "s", Some("other")), Err(Invalid::Other("Audience doesn't match")));
        assert_eq!(verify(&good, "t", None), Err(Invalid::Other("Signature verification failed")));
        let old = token(&json!({ "exp": now - 1 }), "s");
        assert_eq!(verify(&old, "s", None), Err(Invalid::Expired));
        assert_eq!(verify("abc", "s", None), Err(Invalid::Other("Not enough segments")));
    }
}
