//! From a request to the route that answers it: paths, methods, the security key, common headers.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONNECTION, SERVER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::call::{Call, pairs};
use super::cast::faults::Fault;
use super::cast::{Cast, Component};
use super::chaos::{self, Chaos};
use super::cors;
use super::form::Form;
use super::kind::Kind;
use super::os::Os;
use super::refusal::{Refusal, Unhandled};
use super::routes::{Action, ROUTES, Route};
use super::runs;

/// No request needs more; a larger one is refused before it fills the memory.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// Answers any request.
pub(crate) async fn dispatch(State(os): State<Arc<Os>>, request: Request) -> Response {
    let origin = cors::Origin::of(&request);
    if let Some(mut answer) = origin.preflight(&request) {
        answer.headers_mut().insert(SERVER, HeaderValue::from_static("uvicorn"));
        return answer;
    }
    let mut turned_away = false;
    let mut response = answer(os, request, &mut turned_away).await.unwrap_or_else(Refusal::into_response);
    let unhandled = response.extensions().get::<Unhandled>().is_some();
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("uvicorn"));
    if unhandled {
        // The handler of unhandled errors stands outside of the one that adds headers; and after it, the
        // connection is closed without a word.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    origin.sign(headers);
    if turned_away {
        origin.sign_refusal(headers);
    }
    response
}

async fn answer(os: Arc<Os>, request: Request, turned_away: &mut bool) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    // Python decodes a path before it looks for a route: an encoded slash separates like any other.
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
    // A slash at the end is stripped, without a redirect.
    let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(&path) } else { path.as_str() };
    let caller =
        os.guard.admit(head.method.as_str(), path, &head.headers).inspect_err(|_| *turned_away = true)?;
    if let Some(refusal) = caller.refused(path) {
        return Err(refusal);
    }
    let mut allowed = None;
    for route in ROUTES {
        let Some(params) = fit(route, path) else { continue };
        if route.method != head.method.as_str() {
            allowed.get_or_insert(route.method);
            continue;
        }
        let query = pairs(head.uri.query().unwrap_or_default().as_bytes());
        let os = match database(os.cast, path, &params, &query) {
            Some(db) if os.cast.databases.len() > 1 => Arc::new(os.at(db)),
            _ => os,
        };
        let call = Call {
            path: params,
            query,
            headers: head.headers,
            caller,
            cast: os.cast,
            body: to_bytes(body, LARGEST_BODY)
                .await
                .map_err(|_| Refusal::bad_request("There was an error parsing the body"))?,
        };
        let fault = befallen(&os, route, path, head.method.as_str(), &call).await;
        if let Some(fault) = &fault
            && let Some(response) = chaos::before(fault).await
        {
            return Ok(response);
        }
        let answer = route.action.answer(os, call).await;
        return match fault {
            None => answer,
            Some(fault) => {
                let response = answer.unwrap_or_else(Refusal::into_response);
                Ok(chaos::spoil(&fault, response).await)
            }
        };
    }
    let Some(allowed) = allowed else { return Err(Refusal::not_found("Not Found")) };
    let mut response =
        Refusal::Detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".to_owned()).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    Ok(response)
}

/// What goes wrong with a request on purpose.
async fn befallen(os: &Os, route: &Route, path: &str, method: &str, call: &Call) -> Option<Fault> {
    let component = [Kind::Agent, Kind::Team, Kind::Workflow].into_iter().find_map(|kind| {
        let (_, id) = call.path.iter().find(|(name, _)| *name == kind.id_field())?;
        os.cast.find(kind, id)
    });
    let runs = matches!(route.action, Action::Run(_) | Action::Again(_));
    let (mut message, mut rule) = (None, None);
    if let Some(component) = component.filter(|component| runs && os.chaos.listens(*component))
        && let Ok(form) = Form::read(call).await
    {
        message = form.filled("message").map(str::to_owned);
        // A run that goes on was answered already.
        if Chaos::looks_ahead(component) && matches!(route.action, Action::Run(_)) {
            rule = runs::foresee(os, component, call, &form);
        }
    }
    let place = chaos::place(method, route.path, &call.path);
    os.chaos.befalls(&chaos::Target { method, path, place, component, runs, message, rule })
}

/// The database that a request is about: that of a component, of the knowledge base, or the one that it names.
fn database<'a>(
    cast: Cast,
    path: &str,
    params: &[(&str, String)],
    query: &'a [(String, String)],
) -> Option<&'a str> {
    for kind in [Kind::Agent, Kind::Team, Kind::Workflow] {
        if let Some((_, id)) = params.iter().find(|(name, _)| *name == kind.id_field()) {
            return cast.find(kind, id).map(Component::db);
        }
    }
    if path.starts_with("/knowledge/") {
        return Some(cast.knowledge.db);
    }
    query.iter().rev().find(|(name, _)| name == "db_id").map(|(_, id)| id.as_str())
}

/// The parameters of a route, when a path fits it. No parameter is ever empty.
fn fit(route: &Route, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut params = Vec::new();
    let mut parts = path.split('/');
    for expected in route.path.split('/') {
        let part = parts.next()?;
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if part.is_empty() => return None,
            Some(name) => params.push((name, part.to_owned())),
            None if part == expected => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(params)
}

/// The application that a listener serves.
pub(crate) fn app(os: Arc<Os>) -> axum::Router {
    axum::Router::new().fallback(dispatch).with_state(os)
}
