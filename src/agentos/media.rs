//! Images, audio, videos and documents of runs, in the two ways in which AgentOS takes them.
//!
//! Runs of agents and teams take content as file parts named `files`, whatever it is: the type tells. What is a URL goes
//! as JSON in a field of the form. Workflows of agno 3.1.10 answer 500 to file parts: there, content goes as base64 in
//! JSON too, and a field of a form has at most 1 MiB.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::error::Error;
use super::operation::{Call, Payload};
use super::upload::{FileInput, FilePart, FileSource, Origin, Ready};

/// The media of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Media<'a> {
    pub(super) images: Option<&'a Vec<FileInput>>,
    pub(super) audio: Option<&'a Vec<FileInput>>,
    pub(super) videos: Option<&'a Vec<FileInput>>,
    pub(super) files: Option<&'a Vec<FileInput>>,
}

/// A kind of media.
struct Kind {
    /// Our field.
    field: &'static str,
    /// The field of the form that takes JSON.
    json: &'static str,
    /// How its types begin; empty for any.
    family: &'static str,
    /// What is taken for its type where nothing tells.
    default: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind { field: "images", json: "images", family: "image/", default: "image/png" },
    Kind { field: "audio", json: "audio", family: "audio/", default: "audio/mpeg" },
    Kind { field: "videos", json: "videos", family: "video/", default: "video/mp4" },
    Kind { field: "files", json: "input_files", family: "", default: "application/octet-stream" },
];

/// The longest field of a form that the server takes.
const LONGEST_FIELD: usize = 1 << 20;

impl Media<'_> {
    /// Puts them into the request of a run. `parts` says whether file parts may be used.
    pub(super) fn put(self, call: &mut Call, parts: bool) -> Result<(), Error> {
        let Payload::Form(fields) = &mut call.payload else { return Ok(()) };
        let mut files = Vec::new();
        for (kind, inputs) in KINDS.iter().zip([self.images, self.audio, self.videos, self.files]) {
            let mut objects = Vec::new();
            for (index, input) in inputs.into_iter().flatten().enumerate() {
                let mut ready = input.ready(kind.field)?;
                let mime_type = kind.mime_type(&ready)?;
                let filename = ready.filename.take().unwrap_or_else(|| kind.filename(index, &mime_type));
                match ready.origin {
                    Origin::Content(source) if parts => {
                        let field = "files".to_owned();
                        files.push(FilePart { field, filename, content_type: mime_type, source });
                    }
                    origin => objects.push(kind.object(origin, filename, mime_type)?),
                }
            }
            if !objects.is_empty() {
                let json = Value::Array(objects).to_string();
                if json.len() > LONGEST_FIELD {
                    return Err(Error::invalid(format!(
                        "`{}`: encoded, it is {} KiB, and the server takes 1024: workflows take no larger files",
                        kind.field,
                        json.len() >> 10
                    )));
                }
                fields.push((kind.json.to_owned(), json));
            }
        }
        if !files.is_empty() {
            call.payload = Payload::Upload { fields: std::mem::take(fields), files };
        }
        Ok(())
    }
}

impl Kind {
    fn mime_type(&self, ready: &Ready) -> Result<String, Error> {
        match &ready.mime_type {
            None => Ok(self.default.to_owned()),
            Some(known) if known.starts_with(self.family) => Ok(known.clone()),
            Some(other) => {
                let name = ready.filename.as_deref().unwrap_or("it");
                Err(Error::invalid(format!(
                    "`{}`: `{name}` is of the type {other}, which is not `{}...`: name its `mime_type`, or put it into \
                     another field",
                    self.field, self.family
                )))
            }
        }
    }

    fn filename(&self, index: usize, mime_type: &str) -> String {
        let ending = match mime_type {
            "text/plain" => "txt",
            "audio/mpeg" => "mp3",
            other => other.rsplit('/').next().unwrap_or_default(),
        };
        format!("{}-{}.{ending}", self.field, index + 1)
    }

    /// The object that stands for it in JSON.
    fn object(&self, origin: Origin, filename: String, mime_type: String) -> Result<Value, Error> {
        let mut object = Map::new();
        let mut set = |name: &str, value: String| object.insert(name.to_owned(), Value::String(value));
        match origin {
            Origin::Url(url) => {
                set("url", url);
            }
            Origin::Content(source) => {
                let bytes = match source {
                    FileSource::Bytes(bytes) => bytes.to_vec(),
                    FileSource::Path(path) => std::fs::read(&path).map_err(|error| {
                        Error::invalid(format!(
                            "`{}`: `{}` cannot be read: {error}",
                            self.field,
                            path.display()
                        ))
                    })?,
                };
                set("content", STANDARD.encode(bytes));
                if self.json == "input_files" {
                    set("filename", filename);
                }
                set("mime_type", mime_type);
            }
        }
        Ok(Value::Object(object))
    }
}
