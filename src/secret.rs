//! Secrets, and keeping them out of everything that is shown or written.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::percent_decode_str;

/// What stands in a secret's place.
pub const MASK: &str = "***";

/// A shorter text is no secret that could be masked: it would blot out half of every report.
pub const SHORTEST: usize = 4;

/// What stands where a text was cut. A cut in a secret leaves halves of it, which are no less secret.
const CUTS: [&str; 2] = ["…", "..."];

/// The value of a shorter cookie is a setting and no session.
const COOKIE: usize = 8;

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
        if !secret.iter().any(|word| name.contains(word)) {
            return;
        }
        if name.contains("cookie") {
            for cookie in value.split(';').map(str::trim) {
                self.add(cookie);
                // A server gives back the value without its name; `true` and `dark` are no secrets.
                if let Some((_, value)) = cookie.split_once('=').filter(|(_, value)| value.len() >= COOKIE) {
                    self.add(value);
                }
            }
            return;
        }
        // `Bearer` itself is no secret, what follows is.
        self.add(value.split_once(' ').map_or(value, |(_, rest)| rest));
        if !name.contains("authorization") {
            self.add(value);
        }
    }

    /// Adds what is secret in front of the `@` of a URL: the password as it stands there, as it is meant, and as it is sent.
    pub fn add_userinfo(&self, userinfo: &str) {
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let secret = if password.is_empty() { user } else { password };
        self.add(secret);
        self.add(&decoded(secret));
        self.add(&STANDARD.encode(format!("{}:{}", decoded(user), decoded(password))));
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
        let mut forms = vec![secret.to_owned()];
        forms.extend(url_forms(secret));
        // In JSON, in JSON inside of JSON, and in the report of that.
        let mut json = secret.to_owned();
        for _ in 0..3 {
            let quoted = serde_json::Value::from(json.as_str()).to_string();
            quoted[1..quoted.len() - 1].clone_into(&mut json);
            forms.push(json.clone());
        }
        // A quote in a shell command is written '\''.
        let in_shell: Vec<String> = forms.iter().map(|form| form.replace('\'', "'\\''")).collect();
        forms.extend(in_shell);
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

    /// The length in bytes of the longest form of a secret.
    pub fn longest(&self) -> usize {
        self.read().first().map_or(0, String::len)
    }

    /// The first `limit` bytes, or few less, of `text` without secrets, and whether that is not all of it. A secret that the
    /// end cuts in two does not show its first half.
    pub fn mask_start(&self, text: &str, limit: usize) -> (String, bool) {
        if text.len() <= limit {
            return (self.mask(text), false);
        }
        let longest = self.longest();
        let window = &text[..floor(text, limit.saturating_add(longest))];
        let mut masked = self.mask(window);
        if window.len() < text.len() {
            // Where masking made it shorter, what comes last may be the first half of a secret.
            masked.truncate(floor(&masked, masked.len().saturating_sub(longest)));
        }
        let cut = masked.len() > limit || window.len() < text.len();
        masked.truncate(floor(&masked, limit));
        (masked, cut)
    }

    /// The length in bytes of the end of `text` with which a secret may begin, where more is to come.
    pub fn begun_at_end(&self, text: &str) -> usize {
        let forms = self.read();
        let begun = |form: &String| {
            let lengths = form.char_indices().map(|(length, _)| length).filter(|length| *length > 0);
            lengths.filter(|length| text.ends_with(&form[..*length])).max()
        };
        forms.iter().filter_map(begun).max().unwrap_or(0)
    }

    /// `text` without secrets.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for form in self.read().iter() {
            if masked.contains(form.as_str()) {
                masked = masked.replace(form.as_str(), MASK);
            }
        }
        for cut in CUTS {
            let cuts = if self.is_empty() { 0 } else { masked.matches(cut).count() };
            if cuts > 0 {
                let parts = masked
                    .split(cut)
                    .enumerate()
                    .map(|(index, part)| self.without_halves(part, index > 0, cuts > index));
                masked = parts.collect::<Vec<String>>().join(cut);
            }
        }
        masked
    }

    /// `part` without what is left of a secret where a text was cut: its end before the part, or its beginning behind it.
    fn without_halves(&self, part: &str, is_cut_before: bool, is_cut_behind: bool) -> String {
        let inner = part.trim_matches(' ');
        let start = part.len() - part.trim_start_matches(' ').len();
        let (mut from, mut to) = (0, inner.len());
        for form in self.read().iter() {
            if is_cut_before && is_cut_behind && inner.len() >= SHORTEST && form.contains(inner) {
                return part.replace(inner, MASK);
            }
            let ends = form.char_indices().map(|(at, _)| at).filter(|at| *at > 0);
            for at in ends {
                let (beginning, end) = form.split_at(at);
                if is_cut_behind && beginning.len() >= SHORTEST && inner.ends_with(beginning) {
                    to = to.min(inner.len() - beginning.len());
                }
                if is_cut_before && end.len() >= SHORTEST && inner.starts_with(end) {
                    from = from.max(end.len());
                }
            }
        }
        if (from, to) == (0, inner.len()) {
            return part.to_owned();
        }
        let lead = if from > 0 { MASK } else { "" };
        let trail = if to < inner.len() { MASK } else { "" };
        let rest = inner.get(from..to).unwrap_or_default();
        format!("{}{lead}{rest}{trail}{}", &part[..start], &part[start + inner.len()..])
    }
}

/// The largest character boundary at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What encoders of URLs and forms write. They agree on letters and digits; what else stays as it is, whether a blank is
/// `+`, and the case of the digits differ from language to language.
fn url_forms(text: &str) -> Vec<String> {
    // In this order: everything encoded; Python's `quote_plus`, its `quote`; JavaScript's `encodeURIComponent`; forms.
    let kept = ["", "-_.~", "-_.~/", "-_.!~*'()", "-_.*"];
    let mut forms = Vec::new();
    for kept in kept {
        for blank in ["%20", "+"] {
            let encode = |upper: bool| -> String {
                text.bytes()
                    .map(|byte| match byte {
                        b' ' => blank.to_owned(),
                        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
                        _ if kept.as_bytes().contains(&byte) => char::from(byte).to_string(),
                        _ if upper => format!("%{byte:02X}"),
                        _ => format!("%{byte:02x}"),
                    })
                    .collect()
            };
            forms.extend([encode(true), encode(false)]);
        }
    }
    forms
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
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
        let form = format!(
            "a=b&k={}",
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string().replace("%20", "+")
        );
        for text in [secret.to_owned(), json, url, form, basic, other] {
            let masked = masker.mask(&text);
            assert!(masked.contains(MASK), "{text} -> {masked}");
            assert!(!masked.contains("s3cr"), "{masked}");
        }
    }

    #[test]
    fn a_secret_at_the_end_of_what_is_shown_does_not_show_its_first_half() {
        let masker = Masker::new();
        masker.add("correct-horse-battery");
        for lead in 0..60 {
            let text =
                format!("{}correct-horse-battery and more", "correct-horse-battery, ".repeat(lead % 4))
                    + &"x".repeat(lead);
            for limit in 0..text.len() + 2 {
                let (shown, cut) = masker.mask_start(&text, limit);
                assert!(!shown.contains("corr"), "{limit}: {shown}");
                assert!(shown.len() <= limit);
                assert!(cut || masker.mask(&text) == shown, "{limit}: {shown}");
            }
        }
    }

    #[test]
    fn what_is_too_short_is_no_secret() {
        assert!(!Masker::new().add("abc"));
    }
}
