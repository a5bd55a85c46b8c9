//! Scopes: what a token lets somebody do. `agents:read` is for all agents, `agents:assistant:read` for one.

use serde_json::Value;

/// Whoever has it may do everything.
pub(super) const ADMIN: &str = "agent_os:admin";

/// The scopes that a claim grants: a list of them, or one.
pub(super) fn granted(claim: &Value) -> Vec<String> {
    match claim {
        Value::Array(scopes) => scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(scope) => vec![scope.clone()],
        _ => Vec::new(),
    }
}

/// The scope that a request lacks.
pub(super) fn missing(method: &str, path: &str, granted: &[String]) -> Option<String> {
    let mut parts = path.trim_start_matches('/').split('/');
    let head = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let (resource, action) = required(method, head, &rest)?;
    let component = matches!(resource, "agents" | "teams" | "workflows");
    let id = rest.first().copied().filter(|_| component);
    let allowed = granted.iter().any(|scope| {
        if scope == ADMIN {
            return true;
        }
        let mut parts = scope.split(':');
        // `system` is what `config` was called once.
        let named = parts.next().map(|name| if name == "system" { "config" } else { name });
        if named != Some(resource) {
            return false;
        }
        match (parts.next(), parts.next(), parts.next()) {
            (Some(global), None, None) => global == action,
            // A list shows what one may see of it.
            (Some(own), Some(of_one), None) => {
                of_one == action && (own == "*" || Some(own) == id || (component && id.is_none()))
            }
            _ => false,
        }
    });
    (!allowed).then(|| format!("{resource}:{action}"))
}

/// What a request needs; nothing for those that agno 3.1.10 does not list.
fn required(method: &str, head: &str, rest: &[&str]) -> Option<(&'static str, &'static str)> {
    let write = match method {
        "GET" => "read",
        "DELETE" => "delete",
        _ => "write",
    };
    Some(match (head, method, rest) {
        ("config", ..) => ("config", "read"),
        ("databases", ..) => ("config", "write"),
        ("agents", "POST", [_, "runs"] | [_, "runs", _, "continue" | "cancel"]) => ("agents", "run"),
        ("teams", "POST", [_, "runs"] | [_, "runs", _, "continue" | "cancel"]) => ("teams", "run"),
        ("workflows", "POST", [_, "runs"] | [_, "runs", _, "continue" | "cancel"]) => ("workflows", "run"),
        ("agents", "GET", _) => ("agents", "read"),
        ("teams", "GET", _) => ("teams", "read"),
        ("workflows", "GET", _) => ("workflows", "read"),
        ("sessions", ..) => ("sessions", write),
        ("memories" | "memory_topics" | "user_memory_stats" | "optimize-memories", ..) => ("memories", write),
        ("knowledge", "POST", ["search"]) => ("knowledge", "read"),
        ("knowledge", ..) => ("knowledge", write),
        ("metrics", ..) => ("metrics", write),
        ("eval-runs", ..) => ("evals", write),
        ("traces" | "trace_session_stats", ..) => ("traces", "read"),
        _ => return None,
    })
}

/// What may not be run by whoever has these scopes, where a path is about the runs of it.
pub(super) fn may_not_run(path: &str, granted: &[String]) -> Option<&'static str> {
    let mut parts = path.trim_start_matches('/').split('/');
    let (head, id) = (parts.next()?, parts.next()?);
    let kind = match head {
        "agents" => "agent",
        "teams" => "team",
        "workflows" => "workflow",
        _ => return None,
    };
    let about_runs = parts.next() == Some("runs");
    (about_runs && missing("POST", &format!("/{head}/{id}/runs"), granted).is_some()).then_some(kind)
}

/// Whether a component may be read by whoever has these scopes.
pub(super) fn reads(granted: &[String], resource: &str, id: &str) -> bool {
    missing("GET", &format!("/{resource}/{id}"), granted).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_for_all_or_for_one() {
        let with = |scope: &str| vec![scope.to_owned()];
        let run = |scope: &str| missing("POST", "/agents/assistant/runs", &with(scope));
        assert_eq!(run("agents:read"), Some("agents:run".to_owned()));
        assert_eq!(run("agents:toolbox:run"), Some("agents:run".to_owned()));
        for enough in ["agents:run", "agents:assistant:run", "agents:*:run", ADMIN] {
            assert_eq!(run(enough), None, "{enough}");
        }
        assert_eq!(missing("GET", "/agents", &with("agents:assistant:read")), None);
        assert!(!reads(&with("agents:assistant:read"), "agents", "toolbox"));
        assert_eq!(missing("GET", "/config", &with("system:read")), None);
    }
}
