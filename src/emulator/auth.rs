//! Who asks, and what they may: a security key, or JSON Web Tokens with scopes.

mod scopes;
mod token;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::kind::Kind;
use super::refusal::Refusal;

/// How requests are checked.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// When set, requests must carry it.
    pub(crate) key: Option<String>,
    /// When set, requests must carry tokens that it has signed.
    pub(crate) secret: Option<String>,
    /// Whom the tokens must be meant for.
    pub(crate) audience: Option<String>,
    /// Whether users see only what is theirs.
    pub(crate) isolation: bool,
}

/// Somebody who was let in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    user_id: Option<String>,
    isolated: bool,
    /// The scopes of a token; nothing without tokens.
    scopes: Option<Vec<String>>,
}

/// Paths that answer without any proof.
const OPEN: [&str; 7] =
    ["/", "/health", "/info", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"];

impl Guard {
    /// `auth_mode` of `/info`.
    pub(crate) fn mode(&self) -> &'static str {
        match (&self.secret, &self.key) {
            (Some(_), _) => "jwt",
            (None, Some(_)) => "security_key",
            (None, None) => "none",
        }
    }

    /// Lets somebody in, or says why not.
    pub(crate) fn admit(&self, method: &str, path: &str, headers: &HeaderMap) -> Result<Caller, Refusal> {
        // A page of another origin may ask what it may ask.
        if OPEN.contains(&path) || method == "OPTIONS" {
            return Ok(Caller::default());
        }
        let sent = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).filter(|sent| !sent.is_empty());
        if let Some(secret) = &self.secret {
            return self.admit_token(secret, method, path, sent);
        }
        let Some(key) = &self.key else { return Ok(Caller::default()) };
        let sent = sent.ok_or_else(|| unauthorized("Authorization header required"))?;
        if same(bearer(sent).unwrap_or(sent).trim_ascii(), key.as_bytes()) {
            return Ok(Caller::default());
        }
        Err(unauthorized("Invalid authentication token"))
    }

    fn admit_token(
        &self,
        secret: &str,
        method: &str,
        path: &str,
        sent: Option<&[u8]>,
    ) -> Result<Caller, Refusal> {
        let sent = sent.ok_or_else(|| unauthorized("Authorization header missing"))?;
        // A token without a scheme will do.
        let token = std::str::from_utf8(bearer(sent).unwrap_or(sent).trim_ascii()).unwrap_or_default();
        let claims =
            token::verify(token, secret, self.audience.as_deref()).map_err(|reason| match reason {
                token::Invalid::Expired => unauthorized("Token has expired"),
                token::Invalid::Audience => {
                    unauthorized("Invalid token audience - token not valid for this AgentOS instance")
                }
                token::Invalid::Other(reason) => unauthorized(&format!("Invalid token: {reason}")),
            })?;
        let user_id = claims["sub"].as_str();
        if user_id.is_some_and(reserved) {
            return Err(unauthorized("Invalid token subject"));
        }
        let granted = scopes::granted(&claims["scopes"]);
        if let Some(required) = scopes::missing(method, path, &granted) {
            let detail = format!("Insufficient permissions. Required scope(s): {required}");
            return Err(Refusal::Detail(StatusCode::FORBIDDEN, detail));
        }
        let admin = granted.iter().any(|scope| scope == scopes::ADMIN);
        Ok(Caller {
            user_id: user_id.map(str::to_owned),
            isolated: self.isolation && !admin,
            scopes: Some(granted),
        })
    }
}

impl Caller {
    /// The user of a request: a token knows better than a form.
    pub(crate) fn user_of(&self, sent: Option<&str>) -> Result<Option<String>, Refusal> {
        self.only()?;
        let own = self.user_id.as_deref().filter(|id| !id.is_empty());
        Ok(own.or(sent).map(str::to_owned))
    }

    /// Who asks, if a token says so.
    pub(crate) fn name(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// The one user whose things this caller sees, where users are kept apart. Then a caller without a name sees
    /// nothing, and not everything.
    pub(crate) fn only(&self) -> Result<Option<&str>, Refusal> {
        if !self.isolated {
            return Ok(None);
        }
        let named = self.user_id.as_deref().filter(|id| !id.is_empty());
        let detail = "Authenticated request is missing a user identity";
        named.map(Some).ok_or_else(|| Refusal::Detail(StatusCode::FORBIDDEN, detail.to_owned()))
    }

    /// The user to filter by: the caller, where users are kept apart, else whom the request names.
    pub(crate) fn or_asked<'a>(&'a self, asked: Option<&'a str>) -> Result<Option<&'a str>, Refusal> {
        Ok(self.only()?.or(asked))
    }

    /// What is behind the guard and refuses, too: the routes about runs.
    pub(crate) fn refused(&self, path: &str) -> Option<Refusal> {
        let granted = self.scopes.as_ref()?;
        scopes::may_not_run(path, granted).map(no_run)
    }

    /// Refuses somebody who may not run a component.
    pub(crate) fn check_run(&self, kind: Kind, id: &str) -> Result<(), Refusal> {
        self.refused(&format!("/{}s/{id}/runs", kind.name())).map_or(Ok(()), Err)
    }

    /// Whether a component is to be listed for this caller.
    pub(crate) fn sees(&self, resource: &str, id: &str) -> bool {
        self.scopes.as_ref().is_none_or(|granted| scopes::reads(granted, resource, id))
    }
}

/// Names that agno keeps for its own: nobody has them.
fn reserved(user_id: &str) -> bool {
    user_id == "__scheduler__" || user_id.starts_with("sa:")
}

fn no_run(kind: &str) -> Refusal {
    Refusal::Detail(StatusCode::FORBIDDEN, format!("Access denied to run this {kind}"))
}

fn unauthorized(detail: &str) -> Refusal {
    Refusal::Detail(StatusCode::UNAUTHORIZED, detail.to_owned())
}

/// What stands after `Bearer`, in any case.
fn bearer(sent: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = sent.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

/// Compares in a time that tells nothing about where two secrets differ.
fn same(left: &[u8], right: &[u8]) -> bool {
    let differences =
        left.iter().zip(right).fold(left.len() ^ right.len(), |sum, (a, b)| sum | usize::from(a ^ b));
    differences == 0
}
