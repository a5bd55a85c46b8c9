//! Clean-up: what a scenario created is deleted in its end, in reverse order, whatever became of it.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Map, Value};

use super::context;
use super::event::{Event, Phase, StepReport, StepStatus};
use super::ledger::{Kind, Ledger, Made};
use super::steps::Run;
use crate::agentos::operation::Spec;
use crate::agentos::pages::{self, Unread};
use crate::agentos::{self, CallOptions, Client, Error, Exchange};
use crate::diagnostic::Problem;
use crate::scenario::{OperationAction, Step};
use crate::template::Template;
use crate::yaml::Key;

/// What a scenario created so far.
#[derive(Debug, Default)]
pub(super) struct Cleanup {
    made: Mutex<Vec<Made>>,
    /// Sessions that were there before: they are somebody else's.
    found: Mutex<HashSet<String>>,
    /// What remembers it beyond this process.
    ledger: Option<Arc<Ledger>>,
}

impl Cleanup {
    pub(super) fn new(ledger: Option<Arc<Ledger>>) -> Self {
        Self { ledger, ..Self::default() }
    }

    fn made(&self, kind: Kind, id: &str) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().any(|made| made.kind == kind && made.id == id)
    }

    fn knows_session(&self, id: &str) -> bool {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.contains(id) || self.made(Kind::Session, id)
    }

    fn claim(&self, made: Made) -> std::io::Result<()> {
        if let Some(ledger) = &self.ledger {
            ledger.made(&made)?;
        }
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&made) {
            all.push(made);
        }
        Ok(())
    }
}

/// The most pages of a list that are read before something is created, or deleted: a hundred entries each.
const MOST_PAGES: u64 = 100;

/// The field of a creating operation's answer that names what it created.
fn creates(spec: &Spec) -> Option<(Kind, &'static str)> {
    match spec.name {
        "create_session" => Some((Kind::Session, "session_id")),
        "create_memory" => Some((Kind::Memory, "memory_id")),
        "upload_knowledge_content" => Some((Kind::Content, "id")),
        "run_eval" => Some((Kind::Eval, "id")),
        name if name.starts_with("run_") => Some((Kind::Session, "session_id")),
        _ => None,
    }
}

/// What is known before an operation that creates something.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The operation with an id of our own, where the file gives none.
    pub(super) action: Option<OperationAction>,
    /// The documents that are there already, where one is to be added; or why that is not known.
    documents: Option<Result<BTreeSet<String>, Unread>>,
}

impl Run<'_> {
    /// Before an operation that creates something: the id of a session is known before it is sent, and is ours if nobody
    /// had it; a document is ours if it was not there.
    pub(super) async fn before_creating(
        &self,
        step: &Step,
        action: &OperationAction,
    ) -> Result<Before, Problem> {
        let Some(cleanup) = &self.cleanup else { return Ok(Before::default()) };
        let value = |name: &str| {
            let (_, template) = action.fields.iter().find(|(key, _)| key.name == name)?;
            template.resolve(&self.context.scope).ok().filter(|value| !value.is_null())
        };
        match creates(action.operation.spec) {
            Some((Kind::Session, _)) => {}
            Some((Kind::Content, _)) => {
                let fields = ["db_id", "knowledge_id"].into_iter();
                let fields = fields.filter_map(|name| Some((name.to_owned(), value(name)?))).collect();
                let options = self.options_of(step);
                let name = "list_knowledge_content";
                let all = pages::all(&self.target.client, name, &fields, &options, MOST_PAGES).await;
                let id = |document: &Value| Some(document.get("id")?.as_str()?.to_owned());
                let documents = all.map(|all| all.iter().filter_map(id).collect());
                return Ok(Before { documents: Some(documents), ..Before::default() });
            }
            _ => return Ok(Before::default()),
        }
        let failed = |error: std::io::Error| {
            Problem::error("cleanup::ledger", format!("what is created cannot be written down: {error}"))
                .label(&step.action_key.span, "nothing was sent")
        };
        let made = |id: String| self.made(Kind::Session, id, step, &value);
        if action.operation.spec.name.starts_with("run_")
            && let Some(user) = value("user_id").map(|user| crate::expr::as_text(&user))
            && self.is_of_this_run(&user)
            && !cleanup.made(Kind::Memories, &user)
        {
            for db_id in self.target.databases().await {
                let memories = Made { db_id, ..self.made(Kind::Memories, user.clone(), step, &|_| None) };
                cleanup.claim(memories).map_err(failed)?;
            }
        }
        if let Some(id) = value("session_id") {
            let id = crate::expr::as_text(&id);
            if !cleanup.knows_session(&id) {
                // A session that is there already is not this scenario's.
                let mut fields = Map::new();
                fields.insert("session_id".to_owned(), Value::from(id.clone()));
                fields.extend(value("db_id").map(|db_id| ("db_id".to_owned(), db_id)));
                let look = call(&self.target.client, "get_session", fields, &self.options_of(step)).await;
                if look.is_ok_and(|answer| answer.status == 404) {
                    cleanup.claim(made(id)).map_err(failed)?;
                } else {
                    cleanup.found.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                }
            }
            return Ok(Before::default());
        }
        let id = uuid::Uuid::new_v4().to_string();
        cleanup.claim(made(id.clone())).map_err(failed)?;
        let mut fields: Vec<(Key, Template)> =
            action.fields.iter().filter(|(key, _)| key.name != "session_id").cloned().collect();
        let span = &step.action_key.span;
        let key = Key { span: span.clone(), name: "session_id".to_owned() };
        fields.push((key, Template::literal(Value::from(id), span)));
        let action = Some(OperationAction { operation: action.operation, fields });
        Ok(Before { action, documents: None })
    }

    /// Whether a user is called by the id of this run of the scenario: then nobody else speaks as that user, and all that
    /// is remembered of them is of this run.
    fn is_of_this_run(&self, user: &str) -> bool {
        let id = context::run_id(self.instance, self.settings);
        // `abc-1` is not in `abc-12`.
        user.match_indices(&id)
            .any(|(at, _)| !user[at + id.len()..].starts_with(|c: char| c.is_ascii_digit()))
    }

    /// After an operation that created something else; what a reader should know.
    pub(super) fn after_creating(
        &self,
        step: &Step,
        action: &OperationAction,
        exchange: &Exchange,
        before: &Before,
    ) -> Option<String> {
        let cleanup = self.cleanup.as_ref()?;
        let (kind, field) = creates(action.operation.spec)?;
        if kind == Kind::Session || exchange.status >= 300 {
            return None;
        }
        let body: Value = serde_json::from_slice(&exchange.body).ok()?;
        let id = body.get(field)?.as_str()?.to_owned();
        match &before.documents {
            Some(_) if cleanup.made(kind, &id) => return None,
            Some(Ok(there)) if there.contains(&id) => {
                return Some(format!("the document {id} was there before: it is not deleted in the end"));
            }
            Some(Err(cause)) => {
                return Some(format!(
                    "the document {id} is not deleted in the end, because nobody knows whether it was there before: {cause}"
                ));
            }
            _ => {}
        }
        let value = |name: &str| {
            let (_, template) = action.fields.iter().find(|(key, _)| key.name == name)?;
            template.resolve(&self.context.scope).ok().filter(|value| !value.is_null())
        };
        let made = self.made(kind, id, step, &value);
        cleanup.claim(made).err().map(|error| {
            format!("what was created cannot be written down: {error}; it is deleted in the end, unless this is killed before")
        })
    }

    fn made(&self, kind: Kind, id: String, step: &Step, value: &dyn Fn(&str) -> Option<Value>) -> Made {
        let text = |name: &str| value(name).map(|value| crate::expr::as_text(&value));
        let identity = step.identity.as_ref().or(self.identity.as_ref());
        Made {
            kind,
            id,
            db_id: text("db_id"),
            table: text("table"),
            knowledge_id: text("knowledge_id"),
            identity: identity.map(|identity| identity.name.clone()),
            target: self.target.client.base_url().to_owned(),
            scenario: self.instance.title().into_owned(),
        }
    }

    fn options_of(&self, step: &Step) -> CallOptions {
        let identity = step.identity.as_ref().or(self.identity.as_ref());
        self.options_for(identity.map(|identity| identity.name.as_str()))
    }

    /// How a request is sent on behalf of an identity of the project file.
    fn options_for(&self, identity: Option<&str>) -> CallOptions {
        let sender = identity.and_then(|name| self.settings.identities.get(name));
        let headers = sender.and_then(|sender| sender.headers().ok()).unwrap_or_default();
        CallOptions { headers, timeouts: self.settings.timeouts, ..CallOptions::default() }
    }

    /// Deletes what the scenario created, the latest first, and sees whether it is gone.
    pub(super) async fn clean_up(&mut self) {
        let Some(cleanup) = self.cleanup.clone() else { return };
        let made = std::mem::take(&mut *cleanup.made.lock().unwrap_or_else(PoisonError::into_inner));
        if made.is_empty() {
            return;
        }
        let began = Instant::now();
        let mut count = 0;
        let mut notes = Vec::new();
        for made in made.into_iter().rev() {
            let options = self.options_for(made.identity.as_deref());
            let deleting = delete(&self.target.client, &made, &options);
            let Ok(outcome) = self.stop.guard(deleting).await else {
                notes.push(format!("{made}: the time was up"));
                count += 1;
                break;
            };
            match outcome {
                Ok(deleted) => {
                    count += deleted;
                    if let Some(ledger) = &cleanup.ledger
                        && let Err(error) = ledger.gone(&made)
                    {
                        notes.push(format!("{made}: deleted, and the ledger cannot be written: {error}"));
                    }
                }
                Err(cause) => {
                    count += 1;
                    notes.push(format!("{made}: {cause}"));
                }
            }
        }
        if count == 0 && notes.is_empty() {
            return;
        }
        let scenario = self.instance.scenario();
        let failures = if notes.is_empty() {
            Vec::new()
        } else {
            let help = "`agentos-run sweep` deletes what is left behind";
            let problem =
                Problem::error("cleanup::failed", format!("{} of {count} could not be deleted", notes.len()))
                    .label(&scenario.span, "what this scenario created")
                    .help(help);
            vec![problem.into()]
        };
        let failed = !failures.is_empty();
        let step = Arc::new(StepReport {
            phase: Phase::Finally,
            title: format!("clean up what was created: {count}"),
            action: "cleanup".to_owned(),
            span: scenario.span.clone(),
            status: if failed { StepStatus::Failed } else { StepStatus::Passed },
            duration: began.elapsed(),
            failures,
            request: None,
            exchange: None,
            unanswered: None,
            transcript: None,
            callers: Arc::default(),
            notes,
            checks: 0,
        });
        self.observer.on(&Event::StepFinished { instance: self.instance.clone(), step: Arc::clone(&step) });
        if failed {
            self.report.failed.push(step);
        }
    }
}

/// Deletes something that was created and sees whether it is gone; how many things that were. What is not there any more
/// is as good.
pub async fn delete(client: &Client, made: &Made, options: &CallOptions) -> Result<usize, String> {
    let mut fields = Map::new();
    let mut add = |name: &str, value: &Option<String>| {
        fields.extend(value.as_ref().map(|value| (name.to_owned(), Value::from(value.as_str()))));
    };
    add("db_id", &made.db_id);
    let id = Value::from(made.id.as_str());
    let name = match made.kind {
        Kind::Memories => return forget(client, made, fields, options).await,
        Kind::Session => {
            add("table", &made.table);
            fields.insert("session_id".to_owned(), id);
            fields.insert("verify".to_owned(), true.into());
            "delete_session"
        }
        Kind::Memory => {
            add("table", &made.table);
            fields.insert("memory_id".to_owned(), id);
            fields.insert("verify".to_owned(), true.into());
            "delete_memory"
        }
        Kind::Content => {
            add("knowledge_id", &made.knowledge_id);
            fields.insert("content_id".to_owned(), id);
            "delete_knowledge_content"
        }
        Kind::Eval => {
            add("table", &made.table);
            fields.insert("eval_run_ids".to_owned(), Value::Array(vec![id]));
            "delete_eval_runs"
        }
    };
    match call(client, name, fields, options).await {
        Ok(answer) if answer.status < 300 || answer.status == 404 => Ok(1),
        Ok(answer) => Err(format!("{name} was refused with {}: {}", answer.status, answer.refusal())),
        Err(error) => Err(error.kind.to_string()),
    }
}

/// Deletes what agents remember of a user, and sees whether it is gone.
async fn forget(
    client: &Client,
    made: &Made,
    mut fields: Map<String, Value>,
    options: &CallOptions,
) -> Result<usize, String> {
    let db_id = fields.clone();
    fields.insert("user_id".to_owned(), Value::from(made.id.as_str()));
    let all = match pages::all(client, "list_memories", &fields, options, MOST_PAGES).await {
        Ok(all) => all,
        // Who may not see memories, or a database that has none.
        Err(Unread::Refused(400..500, _)) => return Ok(0),
        Err(cause) => return Err(cause.to_string()),
    };
    // A server may answer for somebody else than it was asked for.
    let theirs = all.iter().filter(|memory| memory.get("user_id").and_then(Value::as_str) == Some(&made.id));
    let mut count = 0;
    for memory_id in theirs.filter_map(|memory| memory.get("memory_id")) {
        let mut fields = db_id.clone();
        fields.insert("memory_id".to_owned(), memory_id.clone());
        fields.insert("verify".to_owned(), true.into());
        match call(client, "delete_memory", fields, options).await {
            Ok(answer) if answer.status < 300 || answer.status == 404 => count += 1,
            Ok(answer) => {
                return Err(format!(
                    "delete_memory was refused with {}: {}",
                    answer.status,
                    answer.refusal()
                ));
            }
            Err(error) => return Err(error.kind.to_string()),
        }
    }
    Ok(count)
}

async fn call(
    client: &Client,
    name: &str,
    fields: Map<String, Value>,
    options: &CallOptions,
) -> Result<Exchange, Error> {
    let operation =
        agentos::find(name).ok_or_else(|| Error::invalid(format!("there is no operation {name}")))?;
    operation.parse(fields)?.execute(client, options).await
}
