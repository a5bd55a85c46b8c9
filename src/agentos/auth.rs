//! Who a request comes from: bearer tokens, headers, and JSON Web Tokens made from claims.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::{hmac, signature};
use serde_json::{Map, Value, json};

/// How long a token is valid where its claims say nothing of `exp`.
pub const DEFAULT_LIFETIME: Duration = Duration::from_hours(1);

/// Why a token could not be made. The key is never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// RS256 wants a private RSA key of at least 2048 bits, in PEM (`PRIVATE KEY` or `RSA PRIVATE KEY`).
    #[error("the private key is no RSA key in PEM: {0}")]
    Key(String),
    /// An HMAC of nothing protects nothing.
    #[error("the secret is empty")]
    EmptySecret,
    /// Signing failed.
    #[error("the token cannot be signed")]
    Sign,
}

/// What signs a token.
#[derive(Clone)]
pub enum Signer {
    /// HMAC with SHA-256: the secret that the AgentOS verifies with.
    Hs256(Vec<u8>),
    /// RSA with SHA-256: the private key, in DER.
    Rs256(RsaKey),
}

/// A private RSA key.
#[derive(Clone)]
pub struct RsaKey {
    der: Vec<u8>,
    pkcs8: bool,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm())
    }
}

impl Signer {
    /// Signs with a shared secret.
    pub fn hs256(secret: &str) -> Result<Self, AuthError> {
        if secret.is_empty() {
            return Err(AuthError::EmptySecret);
        }
        Ok(Self::Hs256(secret.as_bytes().to_vec()))
    }

    /// Signs with a private key in PEM.
    pub fn rs256(pem: &str) -> Result<Self, AuthError> {
        let key = RsaKey::of_pem(pem)?;
        key.pair()?;
        Ok(Self::Rs256(key))
    }

    /// Its name in a token's head.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthError> {
        match self {
            Self::Hs256(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                Ok(hmac::sign(&key, message).as_ref().to_vec())
            }
            Self::Rs256(key) => {
                let pair = key.pair()?;
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| AuthError::Sign)?;
                Ok(signature)
            }
        }
    }
}

impl RsaKey {
    fn of_pem(pem: &str) -> Result<Self, AuthError> {
        let wrong = |why: &str| AuthError::Key(why.to_owned());
        for (label, pkcs8) in [("PRIVATE KEY", true), ("RSA PRIVATE KEY", false)] {
            let Some((_, rest)) = pem.split_once(&format!("-----BEGIN {label}-----")) else { continue };
            let Some((body, _)) = rest.split_once(&format!("-----END {label}-----")) else {
                return Err(wrong("its end is missing"));
            };
            let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
            let der = STANDARD.decode(body).map_err(|_| wrong("it is damaged"))?;
            return Ok(Self { der, pkcs8 });
        }
        Err(wrong("there is no `-----BEGIN PRIVATE KEY-----`"))
    }

    fn pair(&self) -> Result<signature::RsaKeyPair, AuthError> {
        let pair = if self.pkcs8 {
            signature::RsaKeyPair::from_pkcs8(&self.der)
        } else {
            signature::RsaKeyPair::from_der(&self.der)
        };
        pair.map_err(|rejected| AuthError::Key(rejected.to_string()))
    }
}

/// Makes a token of `claims`. `iat` is now, and `exp` after `lifetime`, unless the claims say otherwise: a token that
/// is to be refused as expired is made with an `exp` in the past.
pub fn token(signer: &Signer, claims: &Map<String, Value>, lifetime: Duration) -> Result<String, AuthError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut payload = claims.clone();
    payload.entry("iat").or_insert_with(|| json!(now.as_secs()));
    payload.entry("exp").or_insert_with(|| json!((now + lifetime).as_secs()));
    let head = json!({ "alg": signer.algorithm(), "typ": "JWT" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&head), part(&Value::Object(payload)));
    let signature = signer.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Somebody on whose behalf requests are sent.
#[derive(Clone)]
pub enum Identity {
    /// Sends these headers.
    Headers(Vec<(String, String)>),
    /// Sends a token.
    Token(Arc<TokenSource>),
}

/// Makes tokens and uses each for half of its life.
pub struct TokenSource {
    signer: Signer,
    claims: Map<String, Value>,
    lifetime: Duration,
    latest: Mutex<Option<(Instant, String)>>,
}

impl TokenSource {
    fn token(&self) -> Result<String, AuthError> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, token)) = &*latest
            && made.elapsed() < self.lifetime / 2
        {
            return Ok(token.clone());
        }
        let token = token(&self.signer, &self.claims, self.lifetime)?;
        *latest = Some((Instant::now(), token.clone()));
        Ok(token)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Headers(headers) => f.debug_list().entries(headers.iter().map(|(name, _)| name)).finish(),
            Self::Token(source) => write!(f, "token signed with {:?}", source.signer),
        }
    }
}

impl Identity {
    /// Sends `Authorization: Bearer TOKEN`.
    pub fn bearer(token: &str) -> Self {
        Self::Headers(vec![("authorization".to_owned(), format!("Bearer {token}"))])
    }

    /// Sends tokens of `claims` that are valid for `lifetime`.
    pub fn token(signer: Signer, claims: Map<String, Value>, lifetime: Duration) -> Self {
        Self::Token(Arc::new(TokenSource { signer, claims, lifetime, latest: Mutex::new(None) }))
    }

    /// The headers of a request from it.
    pub fn headers(&self) -> Result<Vec<(String, String)>, AuthError> {
        match self {
            Self::Headers(headers) => Ok(headers.clone()),
            Self::Token(source) => {
                let token = source.token()?;
                Ok(vec![("authorization".to_owned(), format!("Bearer {token}"))])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_every_library_reads() {
        // The example of RFC 7515, appendix A.1, has blanks in its JSON; this one was made by another implementation.
        let signer = Signer::hs256("secret").unwrap();
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), json!("alice"));
        claims.insert("iat".to_owned(), json!(1));
        claims.insert("exp".to_owned(), json!(2));
        let token = token(&signer, &claims, DEFAULT_LIFETIME).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(
            message,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImlhdCI6MSwiZXhwIjoyfQ"
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        hmac::verify(&key, message.as_bytes(), &bytes).unwrap();
    }

    #[test]
    fn a_key_that_is_none_is_told_without_showing_it() {
        let error =
            Signer::rs256("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----").unwrap_err();
        assert!(!error.to_string().contains("c2VjcmV0"), "{error}");
        assert_eq!(Signer::hs256("").unwrap_err(), AuthError::EmptySecret);
    }
}
