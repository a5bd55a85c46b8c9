//! Media of runs: uploaded as files, or described in JSON fields.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Form, Upload};
use super::refusal::Refusal;
use super::run::{Object, put, put_some};

/// Media by kind, each an object as messages carry it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Media {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) audio: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) videos: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<Value>,
}

/// What an upload counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Image,
    Audio,
    Video,
    File,
}

/// Types by extension, for uploads that do not say theirs: a short list of those that agno 3.1.10 takes.
const TYPES: [(&str, &str); 29] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mp3"),
    ("ogg", "audio/ogg"),
    ("m4a", "audio/m4a"),
    ("flac", "audio/flac"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mpeg", "video/mpeg"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("css", "text/css"),
    ("xml", "text/xml"),
    ("rtf", "text/rtf"),
    ("py", "text/x-python"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xls", "application/vnd.ms-excel"),
];

impl Media {
    /// Reads the JSON fields of a form, then its uploads.
    pub(crate) fn read(form: &Form, uploads: bool) -> Result<Self, Refusal> {
        let mut media = Self::default();
        for (name, sort) in [
            ("images", Sort::Image),
            ("audio", Sort::Audio),
            ("videos", Sort::Video),
            ("input_files", Sort::File),
        ] {
            if !form.has(name) {
                continue;
            }
            let items = form.text(name).and_then(|text| serde_json::from_str::<Vec<Object>>(text).ok());
            let Some(items) = items else {
                let detail = format!("Invalid {name}: expected a JSON array of objects");
                return Err(Refusal::unprocessable(detail));
            };
            media.list(sort).extend(items.iter().map(|item| described(sort, item)));
        }
        if uploads {
            let metadata = form.filled("files_metadata").and_then(|text| serde_json::from_str(text).ok());
            let metadata: Vec<Value> = metadata.unwrap_or_default();
            for (index, file) in form.files("files").enumerate() {
                // An empty file is passed over in silence.
                if !file.bytes.is_empty() {
                    media.upload(file, metadata.get(index).filter(|value| value.is_object()))?;
                }
            }
        }
        Ok(media)
    }

    fn list(&mut self, sort: Sort) -> &mut Vec<Value> {
        match sort {
            Sort::Image => &mut self.images,
            Sort::Audio => &mut self.audio,
            Sort::Video => &mut self.videos,
            Sort::File => &mut self.files,
        }
    }

    fn upload(&mut self, file: &Upload, metadata: Option<&Value>) -> Result<(), Refusal> {
        let extension = file.filename.rsplit_once('.').map(|(_, end)| end.to_lowercase());
        let by_name = TYPES.iter().find(|(end, _)| Some(*end) == extension.as_deref()).map(|(_, kind)| *kind);
        let known = |kind: &str| {
            TYPES.iter().any(|(_, known)| *known == kind)
                || ["image/", "audio/", "video/"].iter().any(|start| kind.starts_with(start))
        };
        let declared = file.media_type.as_deref().filter(|kind| known(kind));
        let Some(kind) = declared.or(by_name) else {
            return Err(Refusal::bad_request("Unsupported file type"));
        };
        let sort = match kind.split('/').next() {
            Some("image") => Sort::Image,
            Some("audio") => Sort::Audio,
            Some("video") => Sort::Video,
            _ => Sort::File,
        };
        let mut item = Object::new();
        put(&mut item, "id", Uuid::new_v4().to_string());
        // What stands after the last dot, or what the type says.
        let format = extension.unwrap_or_else(|| kind.rsplit('/').next().unwrap_or_default().to_owned());
        if sort == Sort::File {
            put(&mut item, "mime_type", kind);
            put(&mut item, "filename", file.filename.as_str());
            put(&mut item, "format", format);
        } else {
            put(&mut item, "format", format);
            put(&mut item, "mime_type", kind);
        }
        if sort == Sort::Audio {
            put(&mut item, "sample_rate", 24000);
            put(&mut item, "channels", 1);
        }
        let text = std::str::from_utf8(&file.bytes).ok().filter(|_| kind.starts_with("text/"));
        put(&mut item, "content", text.map_or_else(|| STANDARD.encode(&file.bytes), str::to_owned));
        put_some(&mut item, "metadata", metadata.cloned());
        self.list(sort).push(Value::Object(item));
        Ok(())
    }

    /// `2 images, 1 files`: what the model says that it received, or nothing.
    pub(crate) fn counted(&self) -> Option<String> {
        let counts: Vec<String> = [
            (&self.images, "images"),
            (&self.audio, "audio"),
            (&self.videos, "videos"),
            (&self.files, "files"),
        ]
        .iter()
        .filter(|(items, _)| !items.is_empty())
        .map(|(items, name)| format!("{} {name}", items.len()))
        .collect();
        (!counts.is_empty()).then(|| counts.join(", "))
    }

    /// The `input` of a run: the message and what came with it.
    pub(crate) fn input(&self, message: &str) -> Value {
        let mut input = Object::new();
        put(&mut input, "input_content", message);
        for (items, name) in [
            (&self.images, "images"),
            (&self.videos, "videos"),
            (&self.audio, "audios"),
            (&self.files, "files"),
        ] {
            if !items.is_empty() {
                put(&mut input, name, json!(items));
            }
        }
        Value::Object(input)
    }
}

/// Media that a JSON field describes: the fields that agno 3.1.10 keeps of each kind.
fn described(sort: Sort, sent: &Object) -> Value {
    let mut item = Object::new();
    put(&mut item, "id", sent.get("id").cloned().unwrap_or_else(|| json!(Uuid::new_v4().to_string())));
    let kept: &[&str] = match sort {
        Sort::File => &["url", "filepath", "mime_type", "file_type", "filename", "size", "format", "name"],
        Sort::Audio => &["url", "filepath", "mime_type", "duration", "transcript"],
        _ => &["url", "filepath", "format", "mime_type", "detail", "alt_text", "duration"],
    };
    for name in kept {
        put_some(&mut item, name, sent.get(*name).filter(|value| !value.is_null()).cloned());
    }
    if sort == Sort::Audio {
        put(&mut item, "sample_rate", sent.get("sample_rate").cloned().unwrap_or_else(|| json!(24000)));
        put(&mut item, "channels", sent.get("channels").cloned().unwrap_or_else(|| json!(1)));
    }
    for name in ["content", "metadata"] {
        put_some(&mut item, name, sent.get(name).filter(|value| !value.is_null()).cloned());
    }
    Value::Object(item)
}
