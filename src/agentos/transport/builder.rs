//! How a client is set up: its server, what it sends with every request, its clocks.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::pool::Pools;
use super::prepare::{check_header, replace};
use super::{Client, Inner, Timeouts};
use crate::agentos::error::Error;

/// What a client is made of. Nothing is checked before [`ClientBuilder::build`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    headers: Vec<(String, String)>,
    timeouts: Timeouts,
    recovery_dir: Option<PathBuf>,
}

/// A server's address.
pub(super) struct Base {
    /// Scheme, host, port; the path's prefix without a trailing slash.
    pub(super) url: Url,
    /// The same as people read it.
    pub(super) shown: String,
}

impl ClientBuilder {
    pub(super) fn new(base_url: String) -> Self {
        Self { base_url, headers: Vec::new(), timeouts: Timeouts::default(), recovery_dir: None }
    }

    /// A header of every request; it replaces one of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        replace(&mut self.headers, vec![(name.into().to_ascii_lowercase(), value.into())]);
        self
    }

    /// `Authorization: Bearer <token>`: the `OS_SECURITY_KEY` of a server, or a JWT.
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// `User-Agent`; without it, `agentos-run/<version>`.
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        self.header("user-agent", user_agent)
    }

    /// The clocks of every request that has no others. Without them, none runs out.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The folder where `clear_session` keeps what it is about to delete until it has been created anew; it is made
    /// when it is needed. Without it, `agentos-run` in the folder of temporary files.
    pub fn recovery_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.recovery_dir = Some(folder.into());
        self
    }

    /// The client. It fails for a base URL that is none, and for headers that HTTP cannot carry.
    pub fn build(self) -> Result<Client, Error> {
        let (base, credentials) = Base::parse(&self.base_url)?;
        let mut headers =
            vec![("user-agent".to_owned(), concat!("agentos-run/", env!("CARGO_PKG_VERSION")).to_owned())];
        headers.extend(credentials.map(|value| ("authorization".to_owned(), value)));
        for (name, value) in self.headers {
            check_header(&name, &value)?;
            replace(&mut headers, vec![(name, value)]);
        }
        let pools = Pools::new(&base);
        Ok(Client {
            inner: Arc::new(Inner {
                base,
                headers,
                timeouts: self.timeouts,
                recovery_dir: self.recovery_dir.unwrap_or_else(|| std::env::temp_dir().join("agentos-run")),
                pools,
                no_clear_route: AtomicBool::new(false),
            }),
        })
    }
}

impl Base {
    /// The address, and the header for the user and the password that it has. These are not repeated in messages.
    fn parse(text: &str) -> Result<(Self, Option<String>), Error> {
        let text = text.trim();
        let invalid = |why: &str| Error::invalid(format!("the base URL {why}"));
        if text.is_empty() {
            return Err(invalid("is empty: write it like `http://localhost:7777`"));
        }
        let mut url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            // `localhost:7777` is a URL of the scheme `localhost`.
            Ok(url) if !text.contains("://") => {
                return Err(invalid(&format!(
                    "has no scheme, or `{}` is not one: write `http://` or `https://` before it",
                    url.scheme()
                )));
            }
            Ok(url) => return Err(invalid(&format!("must be http or https, not {}", url.scheme()))),
            Err(_) if !text.contains("://") => {
                return Err(invalid("has no scheme: write `http://` or `https://` before it"));
            }
            Err(error) => return Err(invalid(&format!("is not valid: {error}"))),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("must end with the path: `?` and `#` have no place in it"));
        }
        let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let user = percent_decode_str(url.username()).decode_utf8_lossy();
            let password = percent_decode_str(url.password().unwrap_or_default()).decode_utf8_lossy();
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        });
        // These fail for URLs without a host only, and http always has one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        let shown = url.as_str().trim_end_matches('/').to_owned();
        Ok((Self { url, shown }, credentials))
    }

    /// The URL of a path, which is percent-encoded and begins with `/`.
    pub(super) fn join(&self, path: &str) -> Result<Url, Error> {
        if !path.starts_with('/') {
            return Err(Error::invalid(format!("the path `{path}` must begin with `/`")));
        }
        Url::parse(&format!("{}{path}", self.shown))
            .map_err(|error| Error::invalid(format!("the path `{path}` makes no URL: {error}")))
    }
}
