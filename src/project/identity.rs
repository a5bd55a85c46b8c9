//! The identities of a project file: whose token or headers a step sends.

use std::time::Duration;

use serde_json::Value;

use super::pairs;
use crate::agentos::{Algorithm, Identity, Jwt};
use crate::diagnostic::{self, Problem, Problems};
use crate::expr::Scope;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Key, Kind, Node};

/// An identity as it is written.
#[derive(Debug)]
pub struct IdentitySettings {
    /// Its name.
    pub name: Key,
    kind: IdentityKind,
}

#[derive(Debug)]
enum IdentityKind {
    Bearer(Template),
    Headers(Vec<(Key, Template)>),
    Jwt { algorithm: Algorithm, key: Template, claims: Template, expires_in: Duration },
}

/// How long a token is valid where nothing is said.
const EXPIRES_IN: Duration = Duration::from_hours(1);

const FORMS: &str =
    "one of `bearer: TOKEN`, `headers: { ... }` and `jwt: { secret: ..., claims: { sub: alice } }`";

/// Reads `identities`.
pub(super) fn parse_all(node: &Node, problems: &mut Problems) -> Vec<IdentitySettings> {
    let Kind::Mapping(entries) = &node.kind else {
        problems.push(expected(
            "project::identities",
            "`identities`",
            "a mapping of names to identities",
            node,
        ));
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| {
            Some(IdentitySettings { name: entry.key.clone(), kind: parse(&entry.value, problems)? })
        })
        .collect()
}

fn parse(node: &Node, problems: &mut Problems) -> Option<IdentityKind> {
    let fields = Fields::new(node, "an identity", problems);
    fields.finish(&["bearer", "headers", "jwt"], &[], "an identity", problems);
    if let Some(entry) = fields.get("bearer") {
        return Some(IdentityKind::Bearer(Template::parse(&entry.value, problems)));
    }
    if let Some(entry) = fields.get("headers") {
        return Some(IdentityKind::Headers(pairs(&entry.value, "headers", problems)));
    }
    let Some(entry) = fields.get("jwt") else {
        problems.push(expected("project::identities", "an identity", FORMS, node));
        return None;
    };
    let jwt = Fields::new(&entry.value, "`jwt`", problems);
    jwt.finish(&["secret", "private_key", "algorithm", "claims", "expires_in"], &[], "`jwt`", problems);
    let (key, usual) = match (jwt.get("secret"), jwt.get("private_key")) {
        (Some(secret), _) => (Some(Template::parse(&secret.value, problems)), Algorithm::Hs256),
        (None, Some(private)) => (Some(Template::parse(&private.value, problems)), Algorithm::Rs256),
        (None, None) => (None, Algorithm::Hs256),
    };
    if key.is_none() {
        problems.push(
            Problem::error("project::identities", "a JWT needs a key to be signed with")
                .label(&entry.key.span, "no `secret` and no `private_key`")
                .help("`secret` signs with HS256; `private_key`, a PEM text, with RS256"),
        );
    }
    let algorithm = match jwt.get("algorithm") {
        None => usual,
        Some(entry) => {
            let name = string(&entry.value, "`algorithm`", problems)?;
            let named = Algorithm::named(&name);
            if named.is_none() {
                problems.push(
                    Problem::error("project::identities", format!("there is no algorithm `{name}`"))
                        .label(&entry.value.span, "unknown")
                        .maybe_help(diagnostic::suggest(&name, Algorithm::ALL.map(Algorithm::as_str))),
                );
            }
            named?
        }
    };
    let claims = jwt.get("claims").map_or_else(
        || Template::literal(Value::Object(serde_json::Map::new()), &entry.key.span),
        |claims| {
            if !matches!(claims.value.kind, Kind::Mapping(_)) {
                problems.push(expected("project::identities", "`claims`", "a mapping", &claims.value));
            }
            Template::parse(&claims.value, problems)
        },
    );
    let expires_in = jwt.duration("expires_in", problems).unwrap_or(EXPIRES_IN);
    Some(IdentityKind::Jwt { algorithm, key: key?, claims, expires_in })
}

impl IdentitySettings {
    /// The identity, with what the environment says; how long its headers serve; and the texts in it that are secret.
    pub fn resolve(&self, scope: &Scope) -> Result<(Identity, Duration, Vec<String>), Problem> {
        match &self.kind {
            IdentityKind::Bearer(token) => {
                let token = token.resolve_text(scope)?;
                Ok((Identity::Bearer(token.clone()), Duration::MAX, vec![token]))
            }
            IdentityKind::Headers(headers) => {
                let headers: Vec<(String, String)> = headers
                    .iter()
                    .map(|(key, value)| Ok((key.name.to_ascii_lowercase(), value.resolve_text(scope)?)))
                    .collect::<Result<_, Problem>>()?;
                let secrets = headers.iter().map(|(_, value)| value.clone()).collect();
                Ok((Identity::Headers(headers), Duration::MAX, secrets))
            }
            IdentityKind::Jwt { algorithm, key, claims, expires_in } => {
                let text = key.resolve_text(scope)?;
                let jwt = Jwt::new(*algorithm, &text).map_err(|error| {
                    Problem::error(
                        "project::identities",
                        format!("the identity `{}`: {error}", self.name.name),
                    )
                    .label(key.span(), "this key")
                })?;
                let claims = match claims.resolve(scope)? {
                    Value::Object(claims) => claims,
                    _ => serde_json::Map::new(),
                };
                let jwt = jwt.claims(claims).expires_in(*expires_in);
                Ok((Identity::Jwt(Box::new(jwt)), *expires_in / 2, vec![text]))
            }
        }
    }
}
