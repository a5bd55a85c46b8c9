//! Forms of run requests: urlencoded or multipart, read as Starlette reads them.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde_json::{Value, json};

use super::call::{Call, boolean, pairs};
use super::python;
use super::refusal::{Problem, Refusal};

/// No field may be larger, encoded or not.
const LARGEST_FIELD: usize = 1024 * 1024;
const MOST_FIELDS: usize = 1000;

/// A form: text fields in order, and the file parts among them.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: Vec<(String, Field)>,
}

#[derive(Debug)]
enum Field {
    Text(String),
    File(Upload),
}

/// A file part.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) filename: String,
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: Bytes,
}

impl Form {
    /// Reads the body of a call. Any other content type is an empty form, not an error.
    pub(crate) async fn read(call: &Call) -> Result<Self, Refusal> {
        match call.media_type().as_str() {
            "application/x-www-form-urlencoded" => Self::urlencoded(&call.body),
            "multipart/form-data" => Self::multipart(call).await,
            _ => Ok(Self::default()),
        }
    }

    fn urlencoded(body: &[u8]) -> Result<Self, Refusal> {
        if body.split(|byte| *byte == b'&').any(|pair| pair.len() > LARGEST_FIELD) {
            return Err(Refusal::bad_request("Field exceeded maximum size of 1024KB."));
        }
        let fields: Vec<_> =
            pairs(body).into_iter().map(|(name, value)| (name, Field::Text(value))).collect();
        Self { fields }.bounded()
    }

    async fn multipart(call: &Call) -> Result<Self, Refusal> {
        // A body that begins well and breaks off is taken as far as it goes.
        let begins_well = call.body.trim_ascii_start().starts_with(b"--");
        let content_type = call.headers.get(CONTENT_TYPE).cloned();
        let mut request = Request::new(Body::from(call.body.clone()));
        request.headers_mut().extend(content_type.map(|value| (CONTENT_TYPE, value)));
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(|_| Refusal::bad_request("Missing boundary in multipart."))?;
        let mut fields = Vec::new();
        loop {
            let part = match parts.next_field().await {
                Ok(Some(part)) => part,
                Err(_) if !begins_well => return Err(Refusal::bad_request("Invalid multipart data.")),
                Ok(None) | Err(_) => break,
            };
            let name = part.name().unwrap_or_default().to_owned();
            let filename = part.file_name().map(str::to_owned);
            let media_type =
                part.content_type().map(|kind| kind.split(';').next().unwrap_or(kind).to_owned());
            let Ok(bytes) = part.bytes().await else { break };
            let field = match filename {
                Some(filename) => Field::File(Upload { filename, media_type, bytes }),
                None if bytes.len() > LARGEST_FIELD => {
                    return Err(Refusal::bad_request("Part exceeded maximum size of 1024KB."));
                }
                None => Field::Text(String::from_utf8_lossy(&bytes).into_owned()),
            };
            fields.push((name, field));
        }
        Self { fields }.bounded()
    }

    fn bounded(self) -> Result<Self, Refusal> {
        if self.fields.len() > MOST_FIELDS {
            return Err(Refusal::bad_request("Too many fields. Maximum number of fields is 1000."));
        }
        Ok(self)
    }

    fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().rev().find(|(key, _)| key == name).map(|(_, field)| field)
    }

    /// A text field. Of a repeated one the last counts; an empty one is there, too.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Field::Text(text) => Some(text),
            Field::File(_) => None,
        }
    }

    /// A text field that says something: FastAPI takes an empty field for a missing one.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Whether a file came under this name.
    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.files(name).any(|file| !file.bytes.is_empty())
    }

    /// The files that came under this name.
    pub(crate) fn files(&self, name: &str) -> impl Iterator<Item = &Upload> {
        self.fields.iter().filter(move |(key, _)| key == name).filter_map(|(_, field)| match field {
            Field::File(file) => Some(file),
            Field::Text(_) => None,
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A field that must be a non-empty text.
    pub(crate) fn required(&self, name: &str, problems: &mut Vec<Problem>) -> String {
        match self.get(name) {
            Some(Field::Text(text)) if !text.is_empty() => return text.clone(),
            Some(Field::File(file)) => {
                let shown = json!({ "filename": file.filename, "size": file.bytes.len() });
                problems.push(Problem::string(&at(name), &shown));
            }
            _ => problems.push(Problem::missing(&at(name), &Value::Null)),
        }
        String::new()
    }

    /// A boolean field, with what it is when left out or empty.
    pub(crate) fn flag(&self, name: &str, default: bool, problems: &mut Vec<Problem>) -> bool {
        let Some(text) = self.filled(name) else { return default };
        boolean(text).unwrap_or_else(|| {
            problems.push(Problem::boolean(&at(name), &json!(text)));
            default
        })
    }

    /// A field of uploaded files, in which a text has no place, not even an empty one.
    pub(crate) fn check_files(&self, name: &str, problems: &mut Vec<Problem>) {
        let parts = self.fields.iter().filter(|(key, _)| key == name);
        for (index, (_, field)) in parts.enumerate() {
            if let Field::Text(text) = field {
                problems.push(Problem::upload(&[json!("body"), json!(name), json!(index)], text));
            }
        }
    }

    /// An integer field.
    pub(crate) fn integer(&self, name: &str, problems: &mut Vec<Problem>) -> Option<i128> {
        let text = self.filled(name)?;
        let value = python::integer(text);
        if value.is_none() {
            problems.push(Problem::integer(&at(name), &json!(text)));
        }
        value
    }
}

fn at(name: &str) -> [Value; 2] {
    [json!("body"), json!(name)]
}
