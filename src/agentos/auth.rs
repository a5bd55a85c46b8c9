//! Who sends a request: a key, headers, or a JSON Web Token that is made for it.
//!
//! An AgentOS asks for one key of all (`OS_SECURITY_KEY`), or for tokens: their `sub` is the user, whatever the request
//! says, and `scopes` tell what he may do (`agents:read`, `agents:run`, `sessions:read`, `agent_os:admin`, ...). A missing
//! or bad token is answered 401, a missing scope 403.

mod key;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use self::key::Key;
use super::error::Error;

/// Who sends a request.
#[derive(Clone)]
pub enum Identity {
    /// `Authorization: Bearer <token>`: a key, or a token that was made elsewhere.
    Bearer(String),
    /// These headers.
    Headers(Vec<(String, String)>),
    /// `Authorization: Bearer <token>` with a token that is made for each request.
    Jwt(Box<Jwt>),
}

impl Identity {
    /// The headers of a request that is sent now; for [`CallOptions::headers`](super::CallOptions::headers).
    pub fn headers(&self) -> Result<Vec<(String, String)>, Error> {
        let bearer = |token: &str| vec![("authorization".to_owned(), format!("Bearer {token}"))];
        Ok(match self {
            Self::Bearer(token) => bearer(token),
            Self::Headers(headers) => headers.clone(),
            Self::Jwt(jwt) => bearer(&jwt.token(SystemTime::now())?),
        })
    }
}

impl fmt::Debug for Identity {
    // Nothing of it may be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Identity::Bearer",
            Self::Headers(_) => "Identity::Headers",
            Self::Jwt(_) => "Identity::Jwt",
        })
    }
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 7518")]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Es256,
        Self::Es384,
    ];

    /// As tokens write it: `HS256`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }
}

/// How tokens are made.
#[derive(Clone)]
pub struct Jwt {
    algorithm: Algorithm,
    key: Key,
    claims: Map<String, Value>,
    expires_in: Duration,
    key_id: Option<String>,
}

impl Jwt {
    /// Tokens signed with `HS256`, `HS384` or `HS512` and a secret, or with one of the others and a private key in PEM.
    pub fn new(algorithm: Algorithm, key: &str) -> Result<Self, Error> {
        Ok(Self {
            algorithm,
            key: Key::read(algorithm, key)?,
            claims: Map::new(),
            expires_in: Duration::from_hours(1),
            key_id: None,
        })
    }

    /// What the tokens say: `sub`, `scopes`, ... `iat` and `exp` are added unless they are among them; what is
    /// null is left out.
    #[must_use]
    pub fn claims(mut self, claims: Map<String, Value>) -> Self {
        self.claims = claims;
        self
    }

    /// How long a token is good; an hour, where nothing is said.
    #[must_use]
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = expires_in;
        self
    }

    /// The `kid` in the head of the tokens.
    #[must_use]
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// A token made at a moment.
    pub fn token(&self, now: SystemTime) -> Result<String, Error> {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut head = json!({"alg": self.algorithm.as_str(), "typ": "JWT"});
        if let Some(key_id) = &self.key_id {
            head["kid"] = Value::from(key_id.as_str());
        }
        let mut claims = self.claims.clone();
        claims.entry("iat").or_insert_with(|| seconds.into());
        claims.entry("exp").or_insert_with(|| seconds.saturating_add(self.expires_in.as_secs()).into());
        claims.retain(|_, value| !value.is_null());
        let mut token = encode(head.to_string());
        token.push('.');
        token.push_str(&encode(Value::Object(claims).to_string()));
        let signature = self.key.sign(token.as_bytes())?;
        token.push('.');
        token.push_str(&encode(signature));
        Ok(token)
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
