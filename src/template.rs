//! A YAML value whose texts may hold expressions: compiled at check time, resolved to JSON at run time.

use serde_json::Value;

use crate::diagnostic::{Problem, Problems};
use crate::expr::{Expression, Scope, Text};
use crate::source::Span;
use crate::yaml::{Key, Kind, Node};

/// A value with expressions in it.
#[derive(Debug, Clone)]
pub struct Template {
    span: Span,
    kind: TemplateKind,
}

#[derive(Debug, Clone)]
enum TemplateKind {
    Literal(Value),
    Text(Text),
    Sequence(Vec<Template>),
    Mapping(Vec<(Key, Template)>),
}

impl Template {
    /// Compiles the expressions of `node`; those that are wrong become problems and stand for null.
    pub fn parse(node: &Node, problems: &mut Problems) -> Self {
        let kind = match &node.kind {
            Kind::Null => TemplateKind::Literal(Value::Null),
            Kind::Bool(value) => TemplateKind::Literal(Value::Bool(*value)),
            Kind::Number(number) => TemplateKind::Literal(Value::Number(number.clone())),
            Kind::String(text) => match Text::parse(text, &node.span) {
                Ok(Text::Literal(text)) => TemplateKind::Literal(Value::String(text)),
                Ok(text) => TemplateKind::Text(text),
                Err(problem) => {
                    problems.push(problem);
                    TemplateKind::Literal(Value::Null)
                }
            },
            Kind::Sequence(items) => {
                TemplateKind::Sequence(items.iter().map(|item| Self::parse(item, problems)).collect())
            }
            Kind::Mapping(entries) => TemplateKind::Mapping(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), Self::parse(&entry.value, problems)))
                    .collect(),
            ),
        };
        Self { span: node.span.clone(), kind }.folded()
    }

    /// A value without expressions.
    pub fn literal(value: Value, span: &Span) -> Self {
        Self { span: span.clone(), kind: TemplateKind::Literal(value) }
    }

    /// Collections without expressions become one literal.
    fn folded(self) -> Self {
        let kind = match self.kind {
            TemplateKind::Sequence(items) if items.iter().all(|item| item.as_literal().is_some()) => {
                TemplateKind::Literal(Value::Array(
                    items.into_iter().filter_map(Self::into_literal).collect(),
                ))
            }
            TemplateKind::Mapping(entries)
                if entries.iter().all(|(_, value)| value.as_literal().is_some()) =>
            {
                TemplateKind::Literal(Value::Object(
                    entries
                        .into_iter()
                        .filter_map(|(key, value)| Some((key.name, value.into_literal()?)))
                        .collect(),
                ))
            }
            kind => kind,
        };
        Self { span: self.span, kind }
    }

    fn into_literal(self) -> Option<Value> {
        match self.kind {
            TemplateKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Where it stands.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Its value where no expression is in it.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.kind {
            TemplateKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Its value.
    pub fn resolve(&self, scope: &Scope) -> Result<Value, Problem> {
        match &self.kind {
            TemplateKind::Literal(value) => Ok(value.clone()),
            TemplateKind::Text(text) => text.resolve(scope),
            TemplateKind::Sequence(items) => {
                items.iter().map(|item| item.resolve(scope)).collect::<Result<_, _>>().map(Value::Array)
            }
            TemplateKind::Mapping(entries) => entries
                .iter()
                .map(|(key, value)| Ok((key.name.clone(), value.resolve(scope)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
        }
    }

    /// Its value as a text: what is no text is written as JSON.
    pub fn resolve_text(&self, scope: &Scope) -> Result<String, Problem> {
        Ok(crate::expr::as_text(&self.resolve(scope)?))
    }

    /// All expressions in it.
    pub fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        match &self.kind {
            TemplateKind::Literal(_) => {}
            TemplateKind::Text(text) => text.expressions().for_each(visit),
            TemplateKind::Sequence(items) => {
                for item in items {
                    item.for_each_expression(visit);
                }
            }
            TemplateKind::Mapping(entries) => {
                for (_, value) in entries {
                    value.for_each_expression(visit);
                }
            }
        }
    }
}
