//! Workflows and their steps.

use std::sync::Arc;

use super::{Reader, faults_of, id, name, words};
use crate::diagnostic::{Problem, Problems};
use crate::emulator::cast::{Executor, Scripted, Step, Workflow, names, schema};
use crate::template::Template;
use crate::yaml::fields::Fields;
use crate::yaml::{Key, Kind, Node};

impl Reader {
    pub(super) fn workflow(&self, key: &Key, node: &Node, problems: &mut Problems) -> Workflow {
        let id = id(key, problems);
        let fields = Fields::new(node, "a workflow", problems);
        let steps: Vec<Step> = match fields.get("steps").map(|entry| &entry.value) {
            Some(Node { kind: Kind::Sequence(items), .. }) if !items.is_empty() => {
                items.iter().filter_map(|item| self.step(item, problems)).collect()
            }
            other => {
                let span = other.map_or(&key.span, |node| &node.span);
                problems.push(
                    Problem::error("cast::workflow", format!("the workflow `{id}` has no list of `steps`"))
                        .label(span, "nothing is done")
                        .help("steps:\n  - { name: draft, agent: writer }"),
                );
                Vec::new()
            }
        };
        let first = steps.iter().find_map(|step| match &step.executor {
            Executor::Agent(agent) => Some(agent.model),
            Executor::Function(..) => None,
        });
        let workflow = Workflow {
            id,
            name: name(&fields, id, problems),
            description: words(&fields, "description", problems),
            db: self.db_of(&fields, problems),
            model: first.unwrap_or(self.model),
            steps,
            faults: faults_of(&fields, problems),
        };
        schema::finish(&fields, schema::WORKFLOW, "a workflow", problems);
        workflow
    }

    fn step(&self, node: &Node, problems: &mut Problems) -> Option<Step> {
        let fields = Fields::new(node, "a step", problems);
        let agent = fields.text("agent", problems);
        let function = fields.text("function", problems);
        let say = fields.get("say").map(|entry| {
            let template = Template::parse(&entry.value, problems);
            names::step(&template, problems);
            template
        });
        let confirm = words(&fields, "confirm", problems);
        let name = fields.text("name", problems).or_else(|| agent.clone()).or_else(|| function.clone());
        schema::finish(&fields, schema::STEP, "a step", problems);
        let executor = match (agent, say) {
            (Some(agent), None) if function.is_none() => {
                let span = fields.get("agent").map_or(&node.span, |entry| &entry.value.span);
                Executor::Agent(self.person(&agent, span, problems)?)
            }
            (None, Some(template)) => {
                let name = function.or_else(|| name.clone()).unwrap_or_else(|| "function".to_owned());
                let folder = Arc::clone(&self.folder);
                Executor::Function(name.leak(), Scripted { template, folder })
            }
            _ => {
                problems.push(
                    Problem::error("cast::step", "a step is done by an `agent`, or by a function that says something")
                        .label(&node.span, "which?")
                        .help("{ name: draft, agent: writer }, or { name: shout, function: shout, say: \"${{ previous | upper }}\" }"),
                );
                return None;
            }
        };
        Some(Step { name: name.unwrap_or_else(|| "step".to_owned()).leak(), executor, confirm })
    }
}
