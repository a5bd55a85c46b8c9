//! Keys that tokens are signed with. No message repeats any of a key.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, RsaEncoding, RsaKeyPair};

use super::Algorithm;
use crate::agentos::error::Error;

/// A key, with how it signs.
#[derive(Clone)]
pub(super) enum Key {
    Hmac(hmac::Key),
    Rsa(Arc<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Arc<EcdsaKeyPair>),
}

impl Key {
    /// A secret, or a private key in PEM.
    pub(super) fn read(algorithm: Algorithm, text: &str) -> Result<Self, Error> {
        let secret = |algorithm| {
            if text.is_empty() {
                return Err(Error::invalid("the secret of a token is empty"));
            }
            Ok(Self::Hmac(hmac::Key::new(algorithm, text.as_bytes())))
        };
        match algorithm {
            Algorithm::Hs256 => secret(hmac::HMAC_SHA256),
            Algorithm::Hs384 => secret(hmac::HMAC_SHA384),
            Algorithm::Hs512 => secret(hmac::HMAC_SHA512),
            Algorithm::Rs256 => rsa(text, &signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(text, &signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(text, &signature::RSA_PKCS1_SHA512),
            Algorithm::Es256 => ecdsa(text, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ecdsa(text, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |_| Error::invalid("the token could not be signed");
        match self {
            Self::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Self::Ecdsa(key) => {
                Ok(key.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec())
            }
        }
    }
}

fn rsa(text: &str, encoding: &'static dyn RsaEncoding) -> Result<Key, Error> {
    let (label, der) = pem(text)?;
    let key =
        if label == "RSA PRIVATE KEY" { RsaKeyPair::from_der(&der) } else { RsaKeyPair::from_pkcs8(&der) };
    let key = key.map_err(|error| Error::invalid(format!("the key is no private RSA key: {error}")))?;
    Ok(Key::Rsa(Arc::new(key), encoding))
}

fn ecdsa(text: &str, algorithm: &'static EcdsaSigningAlgorithm) -> Result<Key, Error> {
    let (_, der) = pem(text)?;
    let key = EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new());
    let key = key.map_err(|error| {
        Error::invalid(format!("the key is no private key of that curve in PKCS #8: {error}"))
    })?;
    Ok(Key::Ecdsa(Arc::new(key)))
}

/// What a text in PEM says that it is, and the bytes in it.
fn pem(text: &str) -> Result<(&str, Vec<u8>), Error> {
    let read = || {
        let (_, rest) = text.split_once("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let (content, _) = rest.split_once("-----END ")?;
        let content: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        Some((label, STANDARD.decode(content).ok()?))
    };
    read()
        .ok_or_else(|| Error::invalid("the key is not in PEM: it begins with `-----BEGIN PRIVATE KEY-----`"))
}
