//! `agentos-run call OPERATION field=value...`: one operation of the API from the shell.

use serde_json::{Map, Value};

use super::args::CallArgs;
use super::context::Context;
use super::exit::Exit;
use super::one_target::with_target;
use super::output::Output;
use super::refusal::Refusal;
use super::targets;
use super::{inputs, operations};
use crate::agentos::field::{Field, FieldKind};
use crate::agentos::operation::Entry;
use crate::agentos::pages::{Page, Pager, Turn};
use crate::agentos::{self, AnyOperation, CallOptions, Client, ErrorKind, Exchange, Timeouts};
use crate::diagnostic::{self, Problem, Problems};
use crate::duration;
use crate::project::Project;
use crate::report::text;
use crate::secret::Masker;
use crate::source::Source;
use crate::yaml;

mod table;

/// How many entries a page of `--all` has where the command line does not say.
const LIMIT: u64 = 100;

/// Runs the command.
pub(super) fn run(context: &Context, args: CallArgs) -> Exit {
    let Ok(project) = inputs::project(context) else { return Exit::Invalid };
    let (masker, _) = targets::secrets(context, &args.target, project.as_ref());
    let exit = send(context, &args, project.as_ref(), &masker);
    exit.unwrap_or_else(|refusal| refusal.show(&context.output_masked(&masker)))
}

fn send(
    context: &Context,
    args: &CallArgs,
    project: Option<&Project>,
    masker: &Masker,
) -> Result<Exit, Refusal> {
    let entry = agentos::find(&args.operation).ok_or_else(|| operations::unknown(&args.operation))?;
    let fields = fields_of(entry, &args.fields)?;
    if args.all && !entry.spec.paged {
        let message = format!("{} answers no pages to follow", entry.spec.name);
        return Err(Problem::error("call::all", message).into());
    }
    let timeout = duration::parse(&args.timeout).map_err(|message| {
        Problem::error("cli::duration", format!("--timeout {}: {message}", args.timeout))
    })?;
    let timeouts = Timeouts { total: Some(timeout), ..Timeouts::default() };
    with_target(context, &args.target, project, timeouts, masker, async |target| {
        call(args, entry, fields, &target.client, timeouts, context, &context.output_masked(masker)).await
    })
}

async fn call(
    args: &CallArgs,
    entry: &'static Entry,
    mut fields: Map<String, Value>,
    client: &Client,
    timeouts: Timeouts,
    context: &Context,
    output: &Output,
) -> Exit {
    let options = CallOptions { timeouts, ..CallOptions::default() };
    let number = |name: &str, otherwise: u64| fields.get(name).and_then(Value::as_u64).unwrap_or(otherwise);
    let mut pager = Pager::new(number("page", 1), number("limit", LIMIT), 1);
    if args.all {
        fields.entry("limit").or_insert_with(|| Value::from(LIMIT));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut printer = table::Printer::new(args.format, args.all);
    loop {
        if args.all {
            fields.insert("page".to_owned(), Value::from(pager.number()));
        }
        let operation = match entry.parse(fields.clone()) {
            Ok(operation) => operation,
            Err(error) => {
                let wrong = entry.out_of_range(&fields, &error);
                output.problem(&Problem::error("operation::type", wrong.message).maybe_help(wrong.help));
                return Exit::Invalid;
            }
        };
        if args.dry_run {
            return dry_run(operation.as_ref(), client, &options, output);
        }
        let exchange = match operation.execute(client, &options).await {
            Ok(exchange) => exchange,
            Err(error) if matches!(error.kind, ErrorKind::Invalid(_)) => {
                output.problem(&Problem::error("call::fields", error.to_string()));
                return Exit::Invalid;
            }
            Err(error) => {
                let unreachable = matches!(
                    error.kind,
                    ErrorKind::Unreachable { .. } | ErrorKind::Untrusted { .. } | ErrorKind::Timeout { .. }
                );
                output.problem(&targets::unreachable_problem(&error, client.base_url(), context));
                return if unreachable { Exit::Unreachable } else { Exit::Failed };
            }
        };
        if args.verbose {
            output.warn(&exchange.request.curl());
            output.warn(&text::answer_line(&exchange));
        }
        for note in &exchange.notes {
            output.warn(&format!("note: {note}"));
        }
        if exchange.status >= 300 {
            return refused(entry, &exchange, output);
        }
        let body: Value = match serde_json::from_slice(&exchange.body) {
            Ok(body) => body,
            Err(_) if exchange.body.is_empty() => Value::Null,
            Err(_) => {
                output.print(&String::from_utf8_lossy(&exchange.body));
                output.warn("the answer is not JSON");
                return Exit::Failed;
            }
        };
        if let Some(failure) = agentos::run::failure_of(&body, false) {
            printer.print(&body, output);
            printer.finish(output);
            output.warn(&failure);
            return Exit::Failed;
        }
        printer.print(&body, output);
        if !args.all {
            break;
        }
        let Some(Page { items, pages, .. }) = Page::of(&exchange.body) else { break };
        let items: Vec<String> = items.into_iter().map(|item| item.get().to_owned()).collect();
        match pager.turn(items.len(), pages, items == seen) {
            Turn::Next => seen = items,
            Turn::End => break,
            Turn::Repeats(page) => {
                printer.finish(output);
                output.warn(&format!("stopped: the server repeats page {page}"));
                return Exit::Failed;
            }
        }
    }
    printer.finish(output);
    Exit::Success
}

fn dry_run(operation: &dyn AnyOperation, client: &Client, options: &CallOptions, output: &Output) -> Exit {
    match operation.call().and_then(|call| client.dry_run(&call, options)) {
        Ok(request) => {
            output.print(&format!("{}\n", request.curl()));
            Exit::Success
        }
        Err(error) => {
            output.problem(&Problem::error("call::fields", error.to_string()));
            Exit::Invalid
        }
    }
}

fn refused(entry: &Entry, exchange: &Exchange, output: &Output) -> Exit {
    let problem = Problem::error(
        "request::refused",
        format!("{} was refused with {}: {}", entry.spec.name, exchange.status, exchange.refusal()),
    );
    output.problem(&match exchange.status {
        401 | 403 => problem
            .help("give a token with --token or AGENTOS_TOKEN, or headers with -H or in the project file"),
        422 => problem.help(format!("`agentos-run operations {}` shows its fields", entry.spec.name)),
        _ => problem,
    });
    if matches!(exchange.status, 401 | 403) { Exit::Unreachable } else { Exit::Failed }
}

/// The fields of the command line: known, of the right kind, the required ones given.
fn fields_of(entry: &Entry, arguments: &[String]) -> Result<Map<String, Value>, Problem> {
    let name = entry.spec.name;
    let mut fields: Map<String, Value> = Map::new();
    for argument in arguments {
        let Some((key, text)) = argument.split_once('=') else {
            return Err(Problem::error(
                "call::fields",
                format!("`{argument}` is no field: fields are written name=value"),
            )
            .help(format!("`agentos-run operations {name}` shows them")));
        };
        let Some(field) = entry.field(key) else {
            let known = entry.fields().iter().map(|field| field.name.as_str());
            return Err(Problem::error("call::fields", format!("{name} has no field `{key}`"))
                .maybe_help(diagnostic::suggest(key, known)));
        };
        // Entries are divided by commas on the command line; a file has one on each line, which may hold commas.
        let (text, divider) = match text.strip_prefix('@') {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Problem::error(
                        "call::fields",
                        format!("{key}: cannot read {path}: {}", crate::scenario::load::io_cause(&error)),
                    )
                    .help("a value that begins with @ names a file")
                })?;
                (text, '\n')
            }
            None => (text.to_owned(), ','),
        };
        let value = typed(field, Value::String(text), divider)?;
        match (fields.get_mut(&field.name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (Some(_), _) => return Err(Problem::error("call::fields", format!("`{key}` is given twice"))),
            (None, value) => {
                fields.insert(field.name.clone(), value);
            }
        }
    }
    let missing: Vec<String> = entry
        .fields()
        .iter()
        .filter(|field| field.required && !fields.contains_key(&field.name))
        .map(|field| format!("{}=...", field.name))
        .collect();
    if !missing.is_empty() {
        return Err(Problem::error("call::fields", format!("{name} needs {}", missing.join(" ")))
            .help(format!("`agentos-run operations {name}` shows its fields")));
    }
    Ok(fields)
}

/// The text of an argument as its field wants it.
fn typed(field: &Field, value: Value, divider: char) -> Result<Value, Problem> {
    let Value::String(text) = &value else { return Ok(value) };
    let value = match &field.kind {
        FieldKind::String | FieldKind::Enum(_) => value,
        FieldKind::List(of) if !text.trim_start().starts_with('[') && **of != FieldKind::Object => {
            let items = text.split(divider).map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| of.coerce(Value::String(item.to_owned()))).collect())
        }
        _ => {
            let source = Source::new(field.name.clone(), text.clone());
            let mut problems = Problems::new();
            let documents = yaml::parse(&source, &mut problems);
            if let Some(problem) = problems.into_iter().next() {
                return Err(problem);
            }
            documents.first().map(yaml::Node::to_json).unwrap_or_default()
        }
    };
    if field.kind.accepts(&value) && !value.is_null() {
        return Ok(value);
    }
    let problem = Problem::error("call::fields", format!("`{}` must be {}", field.name, field.kind));
    Err(match (&field.kind, value.as_str()) {
        (FieldKind::Enum(words), Some(text)) => {
            problem.maybe_help(diagnostic::suggest(text, words.iter().map(String::as_str)))
        }
        _ => problem,
    })
}
