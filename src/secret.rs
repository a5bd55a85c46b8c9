//! Secrets, and keeping them out of everything that is shown or written.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a secret's place.
pub const MASK: &str = "***";

/// A shorter text is no secret that could be masked: it would blot out half of every report.
pub const SHORTEST: usize = 4;

/// Replaces known secrets in texts: as they are, in JSON strings, in URLs, and in base64.
///
/// Clones share what they know: a token that is made in the middle of a run is masked everywhere from then on.
#[derive(Clone, Default)]
pub struct Masker {
    /// Longest first, so that a secret that contains another is replaced whole.
    forms: Arc<RwLock<Vec<String>>>,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} forms)", self.read().len())
    }
}

impl Masker {
    /// A masker that knows no secrets.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<String>> {
        self.forms.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what is secret in a header, judged by its name.
    pub fn add_header(&self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        let secret = ["authorization", "cookie", "token", "secret", "key", "password", "credential"];
        if secret.iter().any(|word| name.contains(word)) {
            // `Bearer` itself is no secret, what follows is.
            self.add(value.split_once(' ').map_or(value, |(_, rest)| rest));
        }
    }

    /// Adds a secret; returns whether it is long enough to be masked.
    pub fn add(&self, secret: &str) -> bool {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return false;
        }
        if self.read().iter().any(|known| known == secret) {
            return true;
        }
        let mut forms = vec![secret.to_owned(), utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string()];
        // What form encoders write: blanks as `+`, and some punctuation as it is.
        let form: String = url_form(secret);
        forms.push(form);
        if let Ok(json) = serde_json::to_string(secret) {
            forms.push(json[1..json.len() - 1].to_owned());
        }
        // A quote in a shell command is written '\''.
        forms.push(secret.replace('\'', "'\\''"));
        forms.extend(base64_cores(secret.as_bytes()));
        let mut known = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms {
            if form.len() >= SHORTEST && !known.contains(&form) {
                known.push(form);
            }
        }
        known.sort_by_key(|form| std::cmp::Reverse(form.len()));
        true
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// `text` without secrets.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for form in self.read().iter() {
            if masked.contains(form.as_str()) {
                masked = masked.replace(form.as_str(), MASK);
            }
        }
        masked
    }
}

fn url_form(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                encoded.push_str(&format!("{byte:02X}"));
            }
        }
    }
    encoded
}

/// The characters that base64 gives for the secret wherever it stands in a longer text (`user:secret`): it may begin at
/// each of three places of a group; the characters at both ends depend on the neighbours and are left out.
fn base64_cores(secret: &[u8]) -> Vec<String> {
    let mut cores = Vec::new();
    for lead in 0..3usize {
        let mut bytes = vec![0u8; lead];
        bytes.extend_from_slice(secret);
        let from = (lead * 8).div_ceil(6);
        let to = bytes.len() * 8 / 6;
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&bytes);
            if let Some(core) = text.get(from..to).filter(|core| core.len() >= SHORTEST) {
                cores.push(core.to_owned());
            }
        }
    }
    cores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form_it_comes_back_in() {
        let secret = "s3cr&t \"key\"/+x";
        let masker = Masker::new();
        assert!(masker.add(secret));
        let basic = STANDARD.encode(format!("user:{secret}"));
        let other = STANDARD.encode(format!("ab{secret}tail"));
        let json = serde_json::json!({ "k": secret }).to_string();
        let url = format!("http://h/?k={}", utf8_percent_encode(secret, NON_ALPHANUMERIC));
        let form = format!("a=b&k={}", url_form(secret));
        for text in [secret.to_owned(), json, url, form, basic, other] {
            let masked = masker.mask(&text);
            assert!(masked.contains(MASK), "{text} -> {masked}");
            assert!(!masked.contains("s3cr"), "{masked}");
        }
    }

    #[test]
    fn what_is_too_short_is_no_secret() {
        assert!(!Masker::new().add("abc"));
    }
}
