//! A request as a line for the shell, for those who want to repeat it by hand.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::SentRequest;
use crate::agentos::operation::Payload;
use crate::agentos::upload::{FilePart, FileSource};

impl SentRequest {
    /// A `curl` command that sends this request, quoted for a POSIX shell. It holds the request's secrets.
    pub fn curl(&self) -> String {
        let mut words = vec!["curl".to_owned()];
        let mut option = |name: &str, value: Option<&str>| {
            words.push(name.to_owned());
            words.extend(value.map(quote));
        };
        // Brackets and braces of a URL are patterns to curl.
        if self.url.contains(['[', ']', '{', '}']) {
            option("-g", None);
        }
        match (self.method, &self.payload) {
            ("GET", Payload::Empty) => {}
            ("HEAD", _) => option("--head", None),
            (method, _) => option("-X", Some(method)),
        }
        words.push(quote(&self.url));
        let mut option = |name: &str, value: &str| {
            words.push(name.to_owned());
            words.push(quote(value));
        };
        for (name, value) in &self.headers {
            let implied = match self.payload {
                Payload::Json(_) => value == "application/json",
                Payload::Form(_) => value == "application/x-www-form-urlencoded",
                Payload::Multipart(_) | Payload::Upload { .. } => true,
                Payload::Text(_) | Payload::Empty => false,
            };
            let ours = name == "user-agent" && value.starts_with("agentos-run/");
            if (name == "content-type" && implied) || ours {
                continue;
            }
            // curl takes `name:` for "do not send it".
            option("-H", &if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") });
        }
        match &self.payload {
            Payload::Empty => {}
            Payload::Json(value) => option("--json", &value.to_string()),
            Payload::Text(text) => option("--data-raw", text),
            Payload::Form(pairs) if pairs.is_empty() => option("--data-raw", ""),
            Payload::Form(pairs) => {
                for (name, value) in pairs {
                    // Only the part behind the first `=` is encoded by curl.
                    option("--data-urlencode", &format!("{}={value}", encode(name)));
                }
            }
            Payload::Multipart(parts) => {
                for part in parts {
                    part_option(part, &mut option);
                }
            }
            Payload::Upload { fields, files } => {
                for part in fields {
                    part_option(part, &mut option);
                }
                for file in files {
                    let source = match &file.source {
                        FileSource::Path(path) => path.display().to_string(),
                        // The bytes of a file in memory are to be given to curl as its input.
                        FileSource::Bytes(_) => "-".to_owned(),
                    };
                    let FilePart { field, filename, content_type, .. } = file;
                    let quoted = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
                    option(
                        "-F",
                        &format!(
                            "{field}=@\"{}\";filename=\"{}\";type={content_type}",
                            quoted(&source),
                            quoted(filename)
                        ),
                    );
                }
            }
        }
        words.join(" ")
    }
}

/// One text of a form. `-F` would take a value that begins with `@` or `<` for the name of a file.
fn part_option((name, value): &(String, String), option: &mut impl FnMut(&str, &str)) {
    let plain = !value.starts_with(['@', '<', '"']) && !value.contains(';');
    option(if plain { "-F" } else { "--form-string" }, &format!("{name}={value}"));
}

fn encode(name: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.');
    utf8_percent_encode(name, PLAIN).to_string()
}

/// A word of a POSIX shell.
pub(crate) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
