//! JSON Web Tokens, signed with HS256, and the words of `PyJWT` for what is wrong with them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::same;
use crate::emulator::{clock, json_error};

/// Why a token does not count.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    Expired,
    /// Meant for somebody else.
    Audience,
    Other(Cow<'static, str>),
}

/// The claims of a token that holds.
pub(super) fn verify(token: &str, secret: &str, audience: Option<&str>) -> Result<Value, Invalid> {
    let (signed, signature) = token.rsplit_once('.').ok_or(invalid("Not enough segments"))?;
    let (header, payload) = signed.split_once('.').ok_or(invalid("Not enough segments"))?;
    let header = decode(header).ok_or(invalid("Invalid header padding"))?;
    let header = object(&header, "header")?;
    let payload = decode(payload).ok_or(invalid("Invalid payload padding"))?;
    let signature = decode(signature).ok_or(invalid("Invalid crypto padding"))?;
    if header.get("alg").is_none_or(Value::is_null) {
        return Err(invalid("Algorithm not specified"));
    }
    if header["alg"] != "HS256" {
        return Err(invalid("The specified alg value is not allowed"));
    }
    if !same(&sign(signed.as_bytes(), secret.as_bytes()), &signature) {
        return Err(invalid("Signature verification failed"));
    }
    let claims = object(&payload, "payload")?;
    check(&claims, audience)?;
    Ok(claims)
}

fn invalid(reason: &'static str) -> Invalid {
    Invalid::Other(Cow::Borrowed(reason))
}

/// A part of a token that must be an object.
fn object(part: &[u8], what: &str) -> Result<Value, Invalid> {
    match serde_json::from_slice::<Value>(part) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(Invalid::Other(format!("Invalid {what} string: must be a json object").into())),
        Err(_) => {
            let text = String::from_utf8_lossy(part);
            let (at, reason) = json_error::explain(&text);
            let before: Vec<char> = text.chars().take(at).collect();
            let line = 1 + before.iter().filter(|c| **c == '\n').count();
            let column = 1 + before.iter().rev().take_while(|c| **c != '\n').count();
            let place = format!("{reason}: line {line} column {column} (char {at})");
            Err(Invalid::Other(format!("Invalid {what} string: {place}").into()))
        }
    }
}

fn check(claims: &Value, audience: Option<&str>) -> Result<(), Invalid> {
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch fit 53 bits")]
    let now = clock::epoch() as f64;
    for (name, said) in [
        ("iat", "Issued At claim (iat) must be an integer."),
        ("nbf", "Not Before claim (nbf) must be an integer."),
        ("exp", "Expiration Time claim (exp) must be an integer."),
    ] {
        if claims.get(name).is_some_and(|time| !time.is_number()) {
            return Err(invalid(said));
        }
    }
    if claims.get("sub").is_some_and(|sub| !sub.is_string()) {
        return Err(invalid("Subject must be a string"));
    }
    if claims["iat"].as_f64().is_some_and(|issued| issued > now) {
        return Err(invalid("The token is not yet valid (iat)"));
    }
    if claims["nbf"].as_f64().is_some_and(|first| first > now) {
        return Err(invalid("The token is not yet valid (nbf)"));
    }
    if claims["exp"].as_f64().is_some_and(|last| last <= now) {
        return Err(Invalid::Expired);
    }
    let Some(audience) = audience else { return Ok(()) };
    match &claims["aud"] {
        Value::Null => Err(invalid(
            "Token is missing the \"aud\" claim. Audience verification requires this claim to be present in the \
             token.",
        )),
        Value::Array(all) if all.contains(&json!(audience)) => Ok(()),
        Value::String(one) if one == audience => Ok(()),
        _ => Err(Invalid::Audience),
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
        assert_eq!(verify(&good, "s", Some("other")), Err(Invalid::Audience));
        assert_eq!(verify(&good, "t", None), Err(invalid("Signature verification failed")));
        let old = token(&json!({ "exp": now - 1 }), "s");
        assert_eq!(verify(&old, "s", None), Err(Invalid::Expired));
        assert_eq!(verify("abc", "s", None), Err(invalid("Not enough segments")));
    }
}
