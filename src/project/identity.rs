//! The identities of a project file: whose token or headers a step sends.

use std::time::Duration;

use serde_json::Value;

use super::pairs;
use crate::agentos::auth::{DEFAULT_LIFETIME, Identity, Signer};
use crate::diagnostic::{Problem, Problems};
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
    Jwt { key: JwtKey, claims: Template, lifetime: Duration },
}

#[derive(Debug)]
enum JwtKey {
    Secret(Template),
    PrivateKey(Template),
}

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
    let secret = jwt.get("secret").map(|entry| JwtKey::Secret(Template::parse(&entry.value, problems)));
    let private =
        jwt.get("private_key").map(|entry| JwtKey::PrivateKey(Template::parse(&entry.value, problems)));
    let key = secret.or(private);
    if key.is_none() {
        problems.push(
            Problem::error("project::identities", "a JWT needs a key to be signed with")
                .label(&entry.key.span, "no `secret` and no `private_key`")
                .help("`secret` signs with HS256; `private_key`, a PEM text, with RS256"),
        );
    }
    if let Some(algorithm) = jwt.get("algorithm") {
        let name = string(&algorithm.value, "`algorithm`", problems)?;
        let fits = matches!(
            (&key, name.as_str()),
            (Some(JwtKey::Secret(_)), "HS256") | (Some(JwtKey::PrivateKey(_)), "RS256")
        );
        if !fits {
            problems.push(
                Problem::error("project::identities", format!("the key is not one for `{name}`"))
                    .label(&algorithm.value.span, "does not fit")
                    .help("`secret` signs with HS256; `private_key` with RS256; `algorithm` can be left out"),
            );
        }
    }
    let claims = jwt.get("claims").map_or_else(
        || Template::literal(Value::Object(serde_json::Map::new()), &entry.key.span),
        |claims| {
            if !matches!(claims.value.kind, Kind::Mapping(_)) {
                problems.push(expected("project::identities", "`claims`", "a mapping", &claims.value));
            }
            Template::parse(&claims.value, problems)
        },
    );
    let lifetime = jwt.duration("expires_in", problems).unwrap_or(DEFAULT_LIFETIME);
    Some(IdentityKind::Jwt { key: key?, claims, lifetime })
}

impl IdentitySettings {
    /// The identity, with what the environment says; and the texts in it that are secret.
    pub fn resolve(&self, scope: &Scope) -> Result<(Identity, Vec<String>), Problem> {
        match &self.kind {
            IdentityKind::Bearer(token) => {
                let token = token.resolve_text(scope)?;
                Ok((Identity::bearer(&token), vec![token]))
            }
            IdentityKind::Headers(headers) => {
                let headers: Vec<(String, String)> = headers
                    .iter()
                    .map(|(key, value)| Ok((key.name.to_ascii_lowercase(), value.resolve_text(scope)?)))
                    .collect::<Result<_, Problem>>()?;
                let secrets = headers.iter().map(|(_, value)| value.clone()).collect();
                Ok((Identity::Headers(headers), secrets))
            }
            IdentityKind::Jwt { key, claims, lifetime } => {
                let (signer, secret, span) = match key {
                    JwtKey::Secret(secret) => {
                        let text = secret.resolve_text(scope)?;
                        (Signer::hs256(&text), text, secret.span())
                    }
                    JwtKey::PrivateKey(pem) => {
                        let text = pem.resolve_text(scope)?;
                        (Signer::rs256(&text), text, pem.span())
                    }
                };
                let signer = signer.map_err(|error| {
                    Problem::error(
                        "project::identities",
                        format!("the identity `{}`: {error}", self.name.name),
                    )
                    .label(span, "this key")
                })?;
                let claims = match claims.resolve(scope)? {
                    Value::Object(claims) => claims,
                    _ => serde_json::Map::new(),
                };
                Ok((Identity::token(signer, claims, *lifetime), vec![secret]))
            }
        }
    }
}
