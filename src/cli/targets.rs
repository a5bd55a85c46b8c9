//! From arguments, environment and project file to targets that answer.

use std::ffi::OsString;

use super::args::TargetArgs;
use super::context::Context;
use super::embedded::{Embedded, Which};
use super::refusal::Refusal;
use crate::agentos::operation::{Call, Method};
use crate::agentos::{CallOptions, Client, Error, ErrorKind, Timeouts};
use crate::diagnostic::Problem;
use crate::engine::Target;
use crate::project::server::Server;
use crate::project::{self, EMBEDDED, Project, TargetSettings};
use crate::scenario::Instance;
use crate::secret::{Masker, SHORTEST};

mod all;
mod proxy;

pub(super) use all::open_all;

/// Where a target comes from, before anything is started.
#[derive(Debug, Clone)]
pub(super) enum Plan<'a> {
    /// A URL of the command line or of the environment.
    Url(String),
    /// The embedded AgentOS.
    Embedded(Which),
    /// A target of the project file.
    Named(&'a TargetSettings),
}

/// What was started for a run; all of it is stopped when it is dropped.
#[derive(Default)]
pub(super) struct Started {
    servers: Vec<Server>,
    embedded: Embedded,
}

impl Started {
    /// Stops everything, gently.
    pub(super) async fn stop(self) {
        for server in self.servers {
            server.stop().await;
        }
    }
}

/// The target for all scenarios that name none. Command line before environment before project file; there is no
/// silent default.
pub(super) fn plan<'a>(
    context: &Context,
    args: &TargetArgs,
    project: Option<&'a Project>,
) -> Result<Plan<'a>, Problem> {
    let which = Which { cast: args.cast.clone(), chaos: args.chaos };
    if args.embedded || which != Which::default() {
        return Ok(Plan::Embedded(which));
    }
    if let Some(name) = &args.target {
        let Some(project) = project else {
            return Err(Problem::error(
                "target::unknown",
                format!("there is no target `{name}`: no project file was found"),
            )
            .help(format!(
                "{} is looked for from {} upward",
                project::FILE_NAME,
                context.folder.display()
            )));
        };
        return match project.target(name) {
            Some(settings) => Ok(Plan::Named(settings)),
            None => Err(project.unknown_target(name, None)),
        };
    }
    if let Some(url) = args.base_url.as_deref().filter(|url| !url.is_empty()) {
        return Ok(if url == EMBEDDED { Plan::Embedded(which) } else { Plan::Url(url.to_owned()) });
    }
    if let Some(settings) = project.and_then(|project| project.target("default")) {
        return Ok(Plan::Named(settings));
    }
    if let Some([only]) = project.map(|project| project.targets.as_slice()) {
        return Ok(Plan::Named(only));
    }
    Err(Problem::error("target::none", "there is no AgentOS to run against").help(
        "name one in one of these four ways:\n  --base-url http://127.0.0.1:7777   a running AgentOS\n  AGENTOS_URL=http://127.0.0.1:7777  the same, from the environment\n  --embedded                         the AgentOS inside this program\n  agentos-run.yaml                   a project file with `targets:`, and --target NAME",
    ))
}

/// Makes a target of a plan, and asks it whether it is there and lets us in.
pub(super) async fn open(
    plan: &Plan<'_>,
    context: &Context,
    args: &TargetArgs,
    project: Option<&Project>,
    timeouts: Timeouts,
    masker: &Masker,
    started: &mut Started,
) -> Result<Target, Refusal> {
    let target = open_without_asking(plan, context, args, project, timeouts, masker, started).await?;
    if !target.embedded {
        preflight(&target.client, context).await.map_err(Refusal::Unreachable)?;
    }
    Ok(target)
}

/// Makes a target of a plan: starts what is to be started, and prepares its client.
pub(super) async fn open_without_asking(
    plan: &Plan<'_>,
    context: &Context,
    args: &TargetArgs,
    project: Option<&Project>,
    timeouts: Timeouts,
    masker: &Masker,
    started: &mut Started,
) -> Result<Target, Refusal> {
    let mut headers = Vec::new();
    let mut settings = None;
    let mut which = Which::default();
    let base_url = match plan {
        Plan::Url(url) => url.clone(),
        Plan::Embedded(asked) => {
            which = asked.clone();
            EMBEDDED.to_owned()
        }
        Plan::Named(named) => {
            settings = Some(*named);
            which.chaos = named.chaos;
            let folder = project.map_or(context.folder.as_path(), |project| project.folder.as_path());
            // As people write paths: relative to where they stand, where that is inside of the project.
            which.cast = named.cast.as_ref().map(|cast| {
                let path = folder.join(cast);
                path.strip_prefix(&context.folder).map(std::path::Path::to_owned).unwrap_or(path)
            });
            let scope = project::scope(folder, &context.environment);
            let identities = project.map(|project| project.identities.as_slice()).unwrap_or_default();
            if let Some(name) = &named.identity
                && let Some(identity) = identities.iter().find(|identity| identity.name.name == name.name)
            {
                let (identity, _, secrets) = identity.resolve(&scope)?;
                for secret in secrets {
                    masker.add(&secret);
                }
                headers.extend(identity.headers().map_err(|error| {
                    let problem = Problem::error("identity::token", error.to_string());
                    Refusal::Invalid(problem.label(&name.span, "this identity"))
                })?);
            }
            for (key, template) in &named.headers {
                let value = template.resolve_text(&scope)?;
                headers.push((key.name.clone(), value));
            }
            named.base_url.resolve_text(&scope)?
        }
    };
    for header in &args.headers {
        let Some((name, value)) = header.split_once(':') else {
            let problem = Problem::error("cli::header", "a header is written 'Name: value'")
                .help("-H 'X-Tenant: acme'; the value is not repeated here, it may be a secret");
            return Err(Refusal::Invalid(problem));
        };
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    if let Some(token) = args.token.as_deref().filter(|token| !token.is_empty()) {
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    for (name, value) in &headers {
        masker.add_header(name, value);
    }
    if let Some((_, rest)) = base_url.split_once("://")
        && let Some((userinfo, _)) = rest.split('/').next().and_then(|authority| authority.rsplit_once('@'))
    {
        masker.add_userinfo(userinfo);
    }
    let embedded = base_url == EMBEDDED;
    let mut running = None;
    if embedded {
        running = Some(started.embedded.start(&which, &context.output_masked(masker))?);
    }
    let url = running.as_ref().map_or(base_url, |running| running.url.clone());
    // Beside the project, not in a folder that all users of a machine share.
    let recovery = state_folder(context, project).join("recovery");
    let mut builder = Client::builder(&url).timeouts(timeouts).recovery_dir(recovery);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    let client = builder
        .build()
        .map_err(|error| Refusal::Invalid(Problem::error("target::invalid", error.to_string())))?;
    if let Some(serve) = settings.and_then(|settings| settings.serve.as_ref()) {
        let folder = project.map_or(context.folder.as_path(), |project| project.folder.as_path());
        let scope = project::scope(folder, &context.environment);
        let text =
            |template: &crate::template::Template| template.resolve_text(&scope).map_err(Refusal::Invalid);
        let mut env = Vec::new();
        for (key, value) in &serve.env {
            env.push((key.name.clone(), text(value)?));
        }
        let server =
            Server::start(&text(&serve.command)?, &env, folder, &client, &text(&serve.ready)?, serve.within)
                .await
                .map_err(|error| {
                    Refusal::Unreachable(
                        Problem::error("target::serve", error.to_string()).label(&serve.span, "this server"),
                    )
                })?;
        started.servers.push(server);
    }
    let name = if let Some(running) = &running {
        which.name(running)
    } else {
        match settings {
            Some(settings) => format!("{} ({})", client.base_url(), settings.name.name),
            None => client.base_url().to_owned(),
        }
    };
    let jobs = settings.and_then(|settings| settings.jobs);
    let mut target = Target::new(name, client, embedded);
    target.jobs = jobs;
    Ok(target)
}

/// Asks once before anything runs: a target that is down or keeps us out is one message, not one per scenario.
async fn preflight(client: &Client, context: &Context) -> Result<(), Problem> {
    let url = client.base_url().to_owned();
    match client.exchange(&Call::new(Method::Get, "/config"), &CallOptions::default()).await {
        Ok(exchange) if matches!(exchange.status, 401 | 403) => Err(Problem::error(
            "target::credentials",
            format!("{url} refused the credentials with {}: {}", exchange.status, exchange.refusal()),
        )
        .help("give a token with --token or AGENTOS_TOKEN, or headers with -H or in the project file")),
        Ok(_) => Ok(()),
        Err(error) => Err(unreachable_problem(&error, &url, context)),
    }
}

/// The problem of a target that does not answer.
pub(super) fn unreachable_problem(error: &Error, base_url: &str, context: &Context) -> Problem {
    match &error.kind {
        ErrorKind::Interrupted { .. } | ErrorKind::Unreadable(_) => {
            Problem::error("target::unreadable", format!("{base_url}: {error}"))
                .help("something is there: is it an AgentOS?")
        }
        ErrorKind::Unreachable { .. } | ErrorKind::Timeout { .. } => {
            let message = match &error.kind {
                ErrorKind::Unreachable { .. } => error.to_string(),
                _ => format!("{base_url}: {error}"),
            };
            let help = "is it running, and is the address right? `--embedded` runs without a server";
            let proxy = proxy::hint(base_url, context).map(|hint| format!("\n{hint}")).unwrap_or_default();
            Problem::error("target::unreachable", message).help(format!("{help}{proxy}"))
        }
        ErrorKind::Untrusted { .. } => Problem::error("target::untrusted", error.to_string()).help(
            "SSL_CERT_FILE=FILE names the certificates (PEM) of issuers to trust in place of the system's; those come with the package `ca-certificates`",
        ),
        _ => Problem::error("request::failed", error.to_string()),
    }
}

/// Where the program keeps what must outlive it: beside the project file, or in the working folder.
pub(super) fn state_folder(context: &Context, project: Option<&Project>) -> std::path::PathBuf {
    project.map_or(context.folder.as_path(), |project| project.folder.as_path()).join(".agentos-run")
}

/// Learns the secrets that the project file and the command line name.
pub(super) fn secrets(
    context: &Context,
    args: &TargetArgs,
    project: Option<&Project>,
) -> (Masker, Vec<String>) {
    let masker = Masker::new();
    let mut warnings = Vec::new();
    let names = project.map(|project| project.secrets.as_slice()).unwrap_or_default();
    for name in names.iter().map(String::as_str).chain(["AGENTOS_TOKEN", "OS_SECURITY_KEY"]) {
        let Some(value) = context.variable(name) else { continue };
        if !masker.add(value) {
            warnings.push(format!(
                "warning: the secret {name} is shorter than {SHORTEST} characters and is not masked"
            ));
        }
    }
    if let Some(token) = &args.token {
        masker.add(token);
    }
    for header in &args.headers {
        if let Some((name, value)) = header.split_once(':') {
            masker.add_header(name.trim(), value.trim());
        }
    }
    (masker, warnings)
}

/// What `AGENTOS_URL` of the environment takes from the targets of the project file, where it takes something: an option
/// was written for this run, a variable may have been forgotten.
pub(super) fn shadowed(
    context: &Context,
    args: &TargetArgs,
    project: Option<&Project>,
    instances: &[Instance],
) -> Option<String> {
    let project = project?;
    let url = context.variable("AGENTOS_URL")?;
    let is_option = |argument: &OsString| argument.to_string_lossy().starts_with("--base-url");
    if args.embedded || args.target.is_some() || context.arguments.iter().any(is_option) {
        return None;
    }
    let default = match project.targets.as_slice() {
        [only] => Some(only),
        _ => project.target("default"),
    };
    let mut lost: Vec<String> = Vec::new();
    if let Some(target) = default {
        let has = [
            ("headers", !target.headers.is_empty()),
            ("as", target.identity.is_some()),
            ("serve", target.serve.is_some()),
            ("jobs", target.jobs.is_some()),
        ];
        let keys: Vec<String> =
            has.iter().filter(|(_, has)| *has).map(|(key, _)| format!("`{key}`")).collect();
        if !keys.is_empty() {
            lost.push(format!("{} of the target `{}`", keys.join(", "), target.name.name));
        }
    }
    if instances.iter().any(|instance| instance.scenario().target.is_some()) {
        lost.push("the `target` of scenarios".to_owned());
    }
    (!lost.is_empty()).then(|| {
        format!(
            "warning: AGENTOS_URL is set in the environment: everything goes to {url}, and {} is not used; unset it, or name a target with --target",
            lost.join(" and ")
        )
    })
}

/// A runtime for one command. One thread is enough: it waits for servers.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::error("program::runtime", format!("cannot start: {error}")))
}

/// Raises `interrupt` on Ctrl-C and on the signal by which CI systems end a job.
pub(super) fn watch_signals(interrupt: &crate::engine::Interrupt) {
    let interrupt = interrupt.clone();
    tokio::spawn(async move {
        #[cfg(unix)]
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        loop {
            #[cfg(unix)]
            let ended = async {
                match terminate.as_mut() {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            #[cfg(not(unix))]
            let ended = std::future::pending::<Option<()>>();
            tokio::select! {
                pressed = tokio::signal::ctrl_c() => if pressed.is_err() { return },
                _ = ended => {}
            }
            interrupt.raise();
        }
    });
}
