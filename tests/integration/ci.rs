//! What is handed to CI systems does what it says: the GitHub action, the GitLab template and the Kubernetes job are read
//! as those systems read them, and what they would start is started.

use crate::common::{Answer, FakeServer, Run};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

const SCENARIO: &str = "name: One\nsteps: [{ http: { path: /x }, expect: { $.n: 1 } }]\n";

/// A file of this repository.
fn text_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml_of(name: &str) -> Value {
    serde_yaml::from_str(&text_of(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn server(n: u32) -> FakeServer {
    FakeServer::always(Answer::json(200, &json!({ "n": n })))
}

/// A folder with scenarios of which there are `count`.
fn folder(count: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("scenarios")).unwrap();
    for n in 0..count {
        let text = SCENARIO.replace("One", &format!("Number {n}"));
        fs::write(folder.path().join(format!("scenarios/{n}.yaml")), text).unwrap();
    }
    folder
}

/// `script` as a CI system runs it: by a shell that stops at the first failure, with the program on the `PATH`.
fn shell(script: &str, folder: &Path, environment: &[(&str, String)]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_agentos-run")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]).current_dir(folder);
    command.env_clear().env("PATH", path);
    command.envs(environment.iter().map(|(name, value)| (*name, value))).output().unwrap()
}

#[track_caller]
fn code_is(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", all(output));
}

fn all(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The words of a text that are long options: `--report` of `--report "junit=$X"`.
fn options(text: &str) -> BTreeSet<String> {
    let begins = |word: &&str| word.starts_with("--") && word[2..].starts_with(char::is_alphabetic);
    let name = |word: &str| {
        let end =
            word[2..].find(|c: char| !c.is_ascii_alphanumeric() && c != '-').map_or(word.len(), |at| at + 2);
        word[..end].to_owned()
    };
    text.split(|c: char| c.is_whitespace() || "\"'`(,=+".contains(c)).filter(begins).map(name).collect()
}

/// What stands behind the program's name in a file: the lines of its command.
fn commands(text: &str) -> String {
    let mut commands = String::new();
    let mut goes_on = false;
    for line in text.lines() {
        let line = line.trim();
        let begins = line.trim_start_matches(['-', ' ', '$']).starts_with("agentos-run ");
        if begins || goes_on {
            commands.push_str(line);
            commands.push('\n');
        }
        goes_on = (begins || goes_on)
            && (line.ends_with('\\') || line.starts_with("- agentos-run") || line.starts_with("--"));
    }
    commands
}

#[test]
fn every_option_is_one_of_the_program() {
    let help = |command: &str| options(&Run::new().args([command, "--help"]).run().code_is(0).stdout);
    let known: BTreeSet<String> = help("run").union(&help("merge")).cloned().collect();
    let args = yaml_of("ci/kubernetes.yml")["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    for (name, used, some) in [
        ("action.yml", options(&commands(&text_of("action.yml"))), "--trace"),
        ("ci/gitlab.yml", options(&commands(&text_of("ci/gitlab.yml"))), "--trace"),
        ("ci/kubernetes.yml", options(&args), "--shard"),
        ("docs/ci.md", options(&commands(&text_of("docs/ci.md"))), "--report"),
    ] {
        assert!(used.contains(some), "{name}: {used:?}");
        let unknown: Vec<_> = used.difference(&known).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{name}");
    }
    assert!(!known.contains("--junit"), "a name that nothing has is found out");
}

/// A step of the action with its inputs put in, as GitHub does it: the script and its variables.
fn step(name: &str, inputs: &[(&str, &str)]) -> (String, Vec<(&'static str, String)>) {
    let action = yaml_of("action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    assert_eq!(step["shell"], "bash");
    let script = step["run"].as_str().unwrap();
    assert!(!script.contains("${{"), "an input in a script could be anything: {script}");
    let mut variables = Vec::new();
    for (name, value) in step["env"].as_object().unwrap() {
        let mut value = value.as_str().unwrap().to_owned();
        for (input, about) in action["inputs"].as_object().unwrap() {
            let given = inputs.iter().find(|(name, _)| name == input).map(|(_, value)| *value);
            let given = given.unwrap_or_else(|| about["default"].as_str().unwrap());
            value = value.replace(&format!("${{{{ inputs.{input} }}}}"), given);
        }
        assert!(!value.contains("${{"), "{value}: there is no such input");
        let name: &'static str = Box::leak(name.clone().into_boxed_str());
        variables.push((name, value));
    }
    (script.to_owned(), variables)
}

#[test]
#[cfg(unix)]
fn the_action_installs_where_nothing_is() {
    let (script, mut variables) = step("Install agentos-run", &[]);
    let folder = tempfile::tempdir().unwrap();
    code_is(&shell(&script, folder.path(), &variables), 0);
    // Where it is not there, cargo is asked for it: here one that only tells what it was asked for.
    let cargo = folder.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\necho cargo \"$@\"\n").unwrap();
    fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    variables.push(("GITHUB_ACTION_PATH", "/the action".to_owned()));
    let without = format!("PATH={}\n{script}", folder.path().display());
    let output = shell(&without, folder.path(), &variables);
    assert!(all(&output).contains("cargo install --locked --path /the action\n"), "{}", all(&output));
    let (_, mut variables) = step("Install agentos-run", &[("version", "0.1.0")]);
    variables.push(("GITHUB_ACTION_PATH", "/x".to_owned()));
    let output = shell(&without, folder.path(), &variables);
    assert!(
        all(&output).contains("cargo install --locked agentos-run --version 0.1.0\n"),
        "{}",
        all(&output)
    );
}

#[test]
fn the_action_runs_scenarios() {
    let run = |n: u32, inputs: &[(&str, &str)], code: i32| {
        let (server, folder) = (server(n), folder(3));
        let url = server.base_url();
        let inputs: Vec<(&str, &str)> =
            [("base-url", url.as_str()), ("token", "s3cret-token")].iter().chain(inputs).copied().collect();
        let (script, mut variables) = step("Run scenarios", &inputs);
        variables.push(("GITHUB_STEP_SUMMARY", "summary.md".to_owned()));
        let output = shell(&script, folder.path(), &variables);
        code_is(&output, code);
        let sent = server.requests();
        assert!(sent.iter().all(|sent| sent.header("authorization") == Some("Bearer s3cret-token")));
        (folder, all(&output))
    };
    let (folder, output) = run(1, &[], 0);
    assert!(output.contains("3 scenarios: 3 passed"), "{output}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for file in ["junit.xml", "report.json", "report.html"] {
        assert!(read(&format!("agentos-report/{file}")).contains("Number 2"), "{file}");
    }
    assert!(read("summary.md").starts_with("## ✅ 3 scenarios: 3 passed"), "{}", read("summary.md"));

    let (folder, output) =
        run(2, &[("shard", "1/3"), ("reports", "out"), ("options", "--retries 1 --flaky fail")], 1);
    assert!(output.contains("\n::error file=scenarios/"), "{output}");
    assert!(output.contains("shard 1/3: 1 of 3 scenarios"), "{output}");
    assert!(output.contains("attempt 2, "), "{output}");
    assert_eq!(fs::read_dir(folder.path().join("out/traces")).unwrap().count(), 1);

    // Without an address, what the options say.
    let paths = ("paths", "scenarios/1.yaml scenarios/2.yaml");
    let (script, variables) = step("Run scenarios", &[paths, ("options", "--embedded")]);
    let output = all(&shell(&script, folder.path(), &variables));
    assert!(output.contains("against the embedded AgentOS") && output.contains("2 scenarios: "), "{output}");
}

#[test]
fn the_gitlab_job_runs_its_part() {
    let file = yaml_of("ci/gitlab.yml");
    let job = &file[".agentos-run"];
    assert_eq!(job["image"]["entrypoint"], json!([""]), "GitLab needs the shell");
    let lines: Vec<&str> =
        job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let (server, folder) = (server(1), folder(4));
    let mut variables: Vec<(&str, String)> = vec![
        ("AGENTOS_URL", server.base_url()),
        ("CI_NODE_INDEX", "2".to_owned()),
        ("CI_NODE_TOTAL", "4".to_owned()),
    ];
    let set = job["variables"].as_object().unwrap();
    variables.extend(set.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap().to_owned())));
    let output = shell(&lines.join("\n"), folder.path(), &variables);
    code_is(&output, 0);
    assert!(all(&output).contains("shard 2/4: 1 of 4 scenarios"), "{}", all(&output));
    let kept = job["artifacts"]["paths"][0].as_str().unwrap();
    let junit = job["artifacts"]["reports"]["junit"].as_str().unwrap();
    assert!(junit.starts_with(kept));
    for file in [junit, "agentos-report/report-2.json", "agentos-report/report.html"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    // A job without `parallel` runs all of it.
    variables.retain(|(name, _)| !name.starts_with("CI_"));
    variables.push(("CI_NODE_TOTAL", "1".to_owned()));
    let output = shell(&lines.join("\n"), folder.path(), &variables);
    code_is(&output, 0);
    assert!(all(&output).contains("4 scenarios: 4 passed"), "{}", all(&output));
    assert!(folder.path().join("agentos-report/report-1.json").is_file());
}

#[test]
#[cfg(unix)]
fn the_pods_of_the_job_run_all_of_it() {
    let job = yaml_of("ci/kubernetes.yml");
    let spec = &job["spec"];
    assert_eq!((&spec["completionMode"], &spec["completions"]), (&json!("Indexed"), &json!(4)));
    let pod = &spec["template"]["spec"];
    let container = &pod["containers"][0];
    let mounts: Vec<&Value> =
        container["volumeMounts"].as_array().unwrap().iter().map(|mount| &mount["name"]).collect();
    let volumes: Vec<&Value> =
        pod["volumes"].as_array().unwrap().iter().map(|volume| &volume["name"]).collect();
    assert_eq!(mounts, volumes);
    assert!(
        text_of("Dockerfile").contains(&format!("\nUSER {}\n", pod["securityContext"]["runAsUser"])),
        "the user of the image"
    );
    let defined =
        container["env"].as_array().unwrap().iter().any(|env| env["name"] == "JOB_COMPLETION_INDEX");
    assert!(defined, "`$(NAME)` in args is a text where the container does not define it");

    // As the kubelet mounts a ConfigMap: links to a hidden folder.
    let server = server(1);
    let root = tempfile::tempdir().unwrap();
    let (scenarios, reports) = (root.path().join("scenarios"), root.path().join("reports"));
    fs::create_dir_all(scenarios.join("..2026")).unwrap();
    fs::create_dir_all(&reports).unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, scenarios.join(name)).unwrap();
    link("..2026", "..data");
    for n in 0..9 {
        let text = SCENARIO.replace("One", &format!("Number {n}"));
        fs::write(scenarios.join(format!("..2026/{n}.yaml")), text).unwrap();
        link(&format!("..data/{n}.yaml"), &format!("{n}.yaml"));
    }
    for index in 0..4 {
        let args = container["args"].as_array().unwrap().iter().map(|argument| {
            let argument = argument.as_str().unwrap().replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
            argument
                .replace("/scenarios", scenarios.to_str().unwrap())
                .replace("/reports", reports.to_str().unwrap())
        });
        let run = Run::new().args(args).env("AGENTOS_URL", server.base_url());
        run.env("JOB_COMPLETION_INDEX", index.to_string()).run().code_is(0);
    }
    let files = (0..4).map(|index| reports.join(format!("{index}.json")));
    let merged = Run::new().arg("merge").args(files).run().code_is(0);
    assert!(merged.stdout.contains("9 scenarios: 9 passed"), "{merged}");
}
