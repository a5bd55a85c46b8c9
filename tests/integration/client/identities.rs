//! Who sends a request.

use std::time::{Duration, UNIX_EPOCH};

use agentos_run::agentos::agents::{ListAgents, RunAgent};
use agentos_run::agentos::{Algorithm, CallOptions, Client, ErrorKind, Identity, Jwt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, EcdsaKeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use super::live::unique;
use crate::common::agentos::{Settings, at_least};

const RSA: &str = include_str!("../../data/keys/only-for-tests.pem");

fn jwt(algorithm: Algorithm, key: &str, claims: &Value) -> Jwt {
    Jwt::new(algorithm, key).unwrap().claims(claims.as_object().unwrap().clone())
}

fn part(token: &str, index: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()
}

fn said(token: &str) -> Value {
    serde_json::from_slice(&part(token, 1)).unwrap()
}

#[test]
fn a_token_with_a_secret() {
    // The example of jwt.io.
    let claims = json!({"sub": "1234567890", "name": "John Doe", "iat": 1_516_239_022, "exp": null});
    let token = jwt(Algorithm::Hs256, "your-256-bit-secret", &claims).token(UNIX_EPOCH).unwrap();
    assert_eq!(
        token,
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
         eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
         SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    );
}

#[test]
fn times_are_added() {
    let now = UNIX_EPOCH + Duration::from_secs(1000);
    let plain = jwt(Algorithm::Hs512, "s", &json!({"sub": "alice"}));
    assert_eq!(said(&plain.token(now).unwrap()), json!({"sub": "alice", "iat": 1000, "exp": 4600}));
    let short = plain.expires_in(Duration::from_secs(5)).key_id("k1");
    let token = short.token(now).unwrap();
    assert_eq!(said(&token)["exp"], 1005);
    let head: Value = serde_json::from_slice(&part(&token, 0)).unwrap();
    assert_eq!(head, json!({"alg": "HS512", "typ": "JWT", "kid": "k1"}));
    let own = jwt(Algorithm::Hs256, "s", &json!({"exp": 7, "iat": 5})).token(now).unwrap();
    assert_eq!(said(&own), json!({"exp": 7, "iat": 5}));
}

#[test]
fn tokens_with_private_keys() {
    let token = jwt(Algorithm::Rs256, RSA, &json!({"sub": "a"})).token(UNIX_EPOCH).unwrap();
    let der: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
    let public = RsaKeyPair::from_pkcs8(&der).unwrap();
    let public =
        UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public.public_key().as_ref().to_vec());
    public.verify(token.rsplit_once('.').unwrap().0.as_bytes(), &part(&token, 2)).unwrap();

    let random = ring::rand::SystemRandom::new();
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(pkcs8.as_ref())
    );
    let token = jwt(Algorithm::Es256, &pem, &json!({})).token(UNIX_EPOCH).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
    let public =
        UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref().to_vec());
    public.verify(token.rsplit_once('.').unwrap().0.as_bytes(), &part(&token, 2)).unwrap();
    for (algorithm, key, message) in [
        (Algorithm::Hs256, "", "the secret of a token is empty"),
        (Algorithm::Rs256, "secret", "the key is not in PEM: it begins with `-----BEGIN PRIVATE KEY-----`"),
        (Algorithm::Es256, RSA, "the key is no private key of that curve in PKCS #8"),
        (Algorithm::Rs512, pem.as_str(), "the key is no private RSA key"),
    ] {
        let error = Jwt::new(algorithm, key).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert_eq!(Algorithm::named("rs256"), Some(Algorithm::Rs256));
    assert_eq!(Algorithm::named("none"), None);
}

#[test]
fn an_identity_shows_nothing() {
    let jwt = jwt(Algorithm::Hs256, "hidden", &json!({"sub": "alice"}));
    let headers = vec![("x-key".to_owned(), "hidden".to_owned())];
    for identity in [
        Identity::Bearer("hidden".into()),
        Identity::Headers(headers.clone()),
        Identity::Jwt(Box::new(jwt.clone())),
    ] {
        assert!(!format!("{identity:?} {jwt:?}").contains("hidden"));
    }
    assert_eq!(Identity::Headers(headers.clone()).headers().unwrap(), headers);
    let bearer = Identity::Bearer("key".into()).headers().unwrap();
    assert_eq!(bearer, [("authorization".to_owned(), "Bearer key".to_owned())]);
}

/// Tokens of a real AgentOS that asks for those with this secret.
pub(crate) async fn tokens(base: &str, secret: &str) {
    let client = Client::builder(base).build().unwrap();
    let as_user = |claims: Value, expires_in: u64| {
        let jwt = jwt(Algorithm::Hs256, secret, &claims).expires_in(Duration::from_secs(expires_in));
        CallOptions { headers: Identity::Jwt(Box::new(jwt)).headers().unwrap(), ..CallOptions::default() }
    };
    let list = ListAgents::default();
    let refused = |error: agentos_run::agentos::Error| match error.kind {
        ErrorKind::Refused { exchange, message } => (exchange.status, message),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(client.send(&list).await.unwrap_err()).0, 401);
    let none = as_user(json!({"sub": "alice", "scopes": []}), 60);
    assert_eq!(refused(client.send_with(&list, &none).await.unwrap_err()).0, 403);
    let reader = as_user(json!({"sub": "alice", "scopes": ["agents:read", "agents:run"]}), 60);
    assert!(!client.send_with(&list, &reader).await.unwrap().is_empty());
    let expired = as_user(json!({"sub": "alice", "scopes": ["agents:read"], "exp": 1000}), 60);
    assert_eq!(
        refused(client.send_with(&list, &expired).await.unwrap_err()),
        (401, "Token has expired".to_owned())
    );
    // The token tells who it is, not the request.
    let run = RunAgent {
        agent_id: "assistant".into(),
        message: "hi".into(),
        user_id: Some("bob".into()),
        session_id: Some(unique("token")),
        ..RunAgent::default()
    };
    assert_eq!(client.send_with(&run, &reader).await.unwrap().user_id.as_deref(), Some("alice"));
}

#[tokio::test]
async fn live_tokens() {
    // Before 3, a token without scopes may do everything.
    if !at_least(3, 0) {
        return;
    }
    let secret = "a-secret-of-at-least-32-characters";
    tokens(Settings::default().jwt(secret).start().base_url(), secret).await;
}
