//! Whether a proxy of the environment stands between this program and a server: where nothing is reached, it may be that.

use reqwest::Url;

use crate::cli::context::Context;

/// What to know of the proxy that requests to `base_url` go through. Its address may hold a password, so that only the
/// variable is named.
pub(super) fn hint(base_url: &str, context: &Context) -> Option<String> {
    let url = Url::parse(base_url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let local = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let spared = ["NO_PROXY", "no_proxy"].iter().find_map(|name| context.variable(name)).unwrap_or_default();
    let spared = spared
        .split(',')
        .map(|name| name.trim().trim_start_matches('.'))
        .any(|name| name == "*" || name == host || (!name.is_empty() && host.ends_with(&format!(".{name}"))));
    if local || spared {
        return None;
    }
    let names = match url.scheme() {
        "https" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    };
    let name = names.into_iter().find(|name| context.variable(name).is_some())?;
    Some(format!(
        "it was tried through the proxy that {name} names: is that one running? `NO_PROXY={host}` goes without it"
    ))
}
