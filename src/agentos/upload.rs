//! Files within requests: where they come from, and what they are called.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Error;

/// A file part of a `multipart/form-data` body.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePart {
    /// The name of the part.
    pub field: String,
    /// The name of the file, as the server gets it.
    pub filename: String,
    /// Its type.
    pub content_type: String,
    /// Its content.
    pub source: FileSource,
}

/// The content of a file part.
#[derive(Debug, Clone, PartialEq)]
pub enum FileSource {
    /// A file on disk, which is read while it is sent.
    Path(PathBuf),
    /// Bytes in memory.
    Bytes(Bytes),
}

/// A file, as an operation takes it: the path of a file, an `http(s)` URL, a `data:` URL, or a mapping that says more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FileInput {
    /// The path of a file, an `http(s)` URL, or a `data:` URL.
    Short(String),
    /// A file and what it is.
    Full(FileFields),
}

/// A file and what it is. One of `path`, `url`, `base64` and `text` is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFields {
    /// The path of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Where the server finds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its content in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Its content, of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it is called; without it, the name of the file on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Its type, such as `image/png`; without it, the ending of its name tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// A file whose origin is known.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The server fetches it.
    Url(String),
    /// We send it.
    Content(FileSource),
}

/// A file that is ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) origin: Origin,
    pub(super) filename: Option<String>,
    pub(super) mime_type: Option<String>,
}

impl FileInput {
    /// Where the file comes from and what it is; `field` is for messages.
    pub(super) fn ready(&self, field: &str) -> Result<Ready, Error> {
        let fields = match self {
            Self::Full(fields) => Cow::Borrowed(fields),
            Self::Short(text) => Cow::Owned(FileFields::short(text)),
        };
        let FileFields { path, url, base64, text, filename, mime_type } = &*fields;
        let given = [path.is_some(), url.is_some(), base64.is_some(), text.is_some()];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(Error::invalid(format!(
                "`{field}`: a file has one of `path`, `url`, `base64` and `text`"
            )));
        }
        let mut filename = filename.clone();
        let mut mime_type = mime_type.clone();
        let origin = if let Some(url) = url {
            match url.strip_prefix("data:") {
                None => Origin::Url(url.clone()),
                Some(data) => {
                    let (kind, bytes) = data_url(data).ok_or_else(|| {
                        Error::invalid(format!(
                            "`{field}`: the `data:` URL is none: `data:image/png;base64,...`"
                        ))
                    })?;
                    mime_type = mime_type.or(kind);
                    Origin::Content(FileSource::Bytes(bytes))
                }
            }
        } else if let Some(path) = path {
            filename = filename.or_else(|| Some(path.file_name()?.to_string_lossy().into_owned()));
            check_file(field, path)?;
            Origin::Content(FileSource::Path(path.clone()))
        } else if let Some(encoded) = base64 {
            let bytes = decode(encoded)
                .ok_or_else(|| Error::invalid(format!("`{field}`: what `base64` holds is not base64")))?;
            Origin::Content(FileSource::Bytes(bytes))
        } else {
            mime_type = mime_type.or_else(|| filename.is_none().then(|| "text/plain".to_owned()));
            Origin::Content(FileSource::Bytes(Bytes::from(text.clone().unwrap_or_default())))
        };
        let guessed = || {
            let name = filename.as_deref().or(url.as_deref())?;
            mime_guess::from_path(name.split(['?', '#']).next()?).first_raw().map(str::to_owned)
        };
        let mime_type = mime_type.or_else(guessed);
        if let Origin::Content(FileSource::Bytes(bytes)) = &origin
            && bytes.is_empty()
        {
            return Err(Error::invalid(format!(
                "`{field}`: the file is empty, and the server would pass over it"
            )));
        }
        Ok(Ready { origin, filename, mime_type })
    }
}

impl FileFields {
    fn short(text: &str) -> Self {
        if text.starts_with("data:") || is_url(text) {
            Self { url: Some(text.to_owned()), ..Self::default() }
        } else {
            Self { path: Some(PathBuf::from(text)), ..Self::default() }
        }
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn check_file(field: &str, path: &Path) -> Result<(), Error> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::invalid(format!("`{field}`: `{shown}` is a folder"))),
        Ok(found) if found.is_file() && found.len() == 0 => Err(Error::invalid(format!(
            "`{field}`: the file `{shown}` is empty, and the server would pass over it"
        ))),
        Ok(_) => Ok(()),
        Err(error) => {
            let cause = error.to_string();
            let cause = cause.split(" (os error").next().unwrap_or_default();
            Err(Error::invalid(format!("`{field}`: the file `{shown}` cannot be read: {cause}")))
        }
    }
}

fn decode(encoded: &str) -> Option<Bytes> {
    let plain: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(plain).ok().map(Bytes::from)
}

/// The type and the content of what stands behind `data:`.
fn data_url(data: &str) -> Option<(Option<String>, Bytes)> {
    let (head, content) = data.split_once(',')?;
    let (kind, bytes) = match head.strip_suffix(";base64") {
        Some(kind) => (kind, decode(content)?),
        None => (head, percent_encoding::percent_decode_str(content).collect::<Vec<u8>>().into()),
    };
    Some(((!kind.is_empty()).then(|| kind.to_owned()), bytes))
}

/// Puts `folder` before the relative paths of files in a field of an operation.
pub(super) fn resolve(value: &mut Value, folder: &Path) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, folder)),
        Value::Object(fields) => resolve_path(fields, folder),
        Value::String(text) if !is_url(text) && !text.starts_with("data:") => {
            *text = folder.join(&*text).to_string_lossy().into_owned();
        }
        _ => {}
    }
}

fn resolve_path(fields: &mut Map<String, Value>, folder: &Path) {
    if let Some(Value::String(path)) = fields.get_mut("path") {
        *path = folder.join(&*path).to_string_lossy().into_owned();
    }
}
