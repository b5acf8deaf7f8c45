//! The OpenAPI 3.1 document: every operation, and the commands, events and read models of the application.

use std::collections::BTreeMap;

use headwater::schema::{CommandSchema, EventSchema};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::hoist::{COMPONENTS, hoist};
use super::operation::{Answer, SchemaOf};
use super::{Form, Operation, Scope};
use crate::ProblemKind;

/// The path whose operation is written once for each command of the application.
const COMMAND_PATH: &str = "/v1/streams/{category}/{id}/commands/{name}";

/// Problems that any operation can end in.
const ALWAYS: [ProblemKind; 5] = [
    ProblemKind::InvalidRequest,
    ProblemKind::Internal,
    ProblemKind::Overloaded,
    ProblemKind::Unavailable,
    ProblemKind::DeadlineExceeded,
];

/// What is described of the application.
pub(crate) struct Described {
    pub(crate) name: &'static str,
    pub(crate) aggregates: Vec<Category>,
    pub(crate) read_models: Vec<&'static str>,
}

/// A category, with what can be asked of it and what can happen to it.
pub(crate) struct Category {
    pub(crate) name: &'static str,
    pub(crate) commands: Vec<CommandSchema>,
    pub(crate) needs_version: &'static [&'static str],
    pub(crate) events: Vec<EventSchema>,
    pub(crate) snapshots: Option<headwater::SnapshotPolicy>,
}

/// The document.
pub(crate) fn document(described: &Described, operations: &[Operation]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut writer = Writer { described, generator: settings.into_generator(), components: Map::new() };
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let method = operation.method.as_str().to_ascii_lowercase();
        if operation.path == COMMAND_PATH {
            for (path, written) in writer.commands(operation) {
                paths.entry(path).or_default().insert(method.clone(), written);
            }
        } else {
            let written = writer.operation(operation);
            paths.entry(operation.path.to_owned()).or_default().insert(method, written);
        }
    }
    writer.events();
    let mut components = writer.components;
    let definitions = writer.generator.take_definitions(true);
    components.extend(definitions);
    components.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": described.name,
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Commands, streams, the feed, read models and administration. Errors are described at /problems."
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}
        }
    })
}

struct Writer<'a> {
    described: &'a Described,
    generator: SchemaGenerator,
    components: Map<String, Value>,
}

impl Writer<'_> {
    fn operation(&mut self, operation: &Operation) -> Value {
        let parameters = self.parameters(operation);
        let mut written = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "tags": [tag(operation.path)],
            "parameters": parameters,
            "responses": self.responses(operation),
        });
        let members = written.as_object_mut().expect("it was written as an object");
        if operation.scope != Scope::Public {
            // Without authentication configured, nobody has to say who they are.
            members.insert("security".to_owned(), json!([{}, {"bearer": []}]));
            members.insert("x-scope".to_owned(), json!(operation.scope.name()));
        }
        if let Some((form, schema)) = operation.body {
            let mut content = content(form, self.schema(schema));
            if form == Form::Ndjson {
                // A list says the same as one document a line.
                let list = json!({"type": "array", "items": self.schema(schema)});
                content.extend([(Form::Json.media_type().to_owned(), json!({"schema": list}))]);
            }
            members.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
        }
        written
    }

    /// The operation that carries out commands, once for each command.
    fn commands(&mut self, operation: &Operation) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        let described = self.described;
        for category in &described.aggregates {
            for command in &category.commands {
                let name = format!("{}.{}", category.name, command.name);
                let reference = hoist(&mut self.components, category.name, &name, &command.json);
                let mut written = self.operation(operation);
                let members = written.as_object_mut().expect("it was written as an object");
                members.insert("operationId".to_owned(), json!(name));
                members.insert("summary".to_owned(), json!(format!("{}: {}", category.name, command.name)));
                let content = content(Form::Json, reference);
                members.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
                members.insert(
                    "x-needs-version".to_owned(),
                    json!(category.needs_version.contains(&command.name)),
                );
                if let Some(Value::Array(parameters)) = members.get_mut("parameters") {
                    parameters.retain(|parameter| parameter["in"] != "path" || parameter["name"] == "id");
                }
                all.push((
                    format!("/v1/streams/{}/{{id}}/commands/{}", category.name, command.name),
                    written,
                ));
            }
        }
        all
    }

    /// Every version of every event, as a component.
    fn events(&mut self) {
        let described = self.described;
        for category in &described.aggregates {
            for event in &category.events {
                let name = format!("{}.{}.v{}", category.name, event.name, event.schema);
                hoist(&mut self.components, &name, &name, &event.json);
            }
        }
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let mut parameters = Vec::new();
        for name in names(operation.path) {
            let schema = self.path_parameter(name);
            parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
        }
        if let Some(schema) = operation.query {
            parameters.extend(self.query(schema));
        }
        for (name, text) in operation.headers {
            let schema = json!({"type": "string"});
            parameters.push(json!({"name": name, "in": "header", "description": text, "schema": schema}));
        }
        parameters
    }

    fn path_parameter(&self, name: &str) -> Value {
        match name {
            "category" => {
                let categories: Vec<_> =
                    self.described.aggregates.iter().map(|category| category.name).collect();
                json!({"type": "string", "enum": categories})
            }
            "version" => json!({"type": "integer", "format": "uint64", "minimum": 1}),
            "projection" | "name" => json!({"type": "string", "enum": self.described.read_models}),
            "slug" => {
                let slugs: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
                json!({"type": "string", "enum": slugs})
            }
            _ => json!({"type": "string", "minLength": 1}),
        }
    }

    /// The fields of a type as parameters of a query.
    fn query(&mut self, schema: SchemaOf) -> Vec<Value> {
        let schema = self.whole(schema);
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(Value::Object(properties)) = schema.get("properties") else { return Vec::new() };
        let parameter = |(name, property): (&String, &Value)| {
            let mut property = property.clone();
            let members = property.as_object_mut();
            let description = members.and_then(|members| members.remove("description")).unwrap_or_default();
            let needed = required.iter().any(|required| required == name);
            json!({"name": name, "in": "query", "required": needed, "description": description,
                   "schema": without_null(property)})
        };
        properties.iter().map(parameter).collect()
    }

    fn responses(&mut self, operation: &Operation) -> Value {
        let mut responses = Map::new();
        for answer in &operation.answers {
            responses.insert(answer.status.to_string(), self.answer(answer));
        }
        let mut kinds: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
        let access = [ProblemKind::Unauthenticated, ProblemKind::Forbidden];
        let access = access.iter().filter(|_| operation.scope != Scope::Public);
        for kind in operation.problems.iter().chain(&ALWAYS).chain(access) {
            let listed = kinds.entry(kind.status().as_u16()).or_default();
            if !listed.contains(kind) {
                listed.push(*kind);
            }
        }
        for (status, kinds) in kinds {
            let texts: Vec<_> =
                kinds.iter().map(|kind| format!("{}: {}", kind.slug(), kind.title())).collect();
            let schema = json!({"$ref": format!("{COMPONENTS}Problem")});
            let written = json!({
                "description": texts.join("; "),
                "content": {"application/problem+json": {"schema": schema}}
            });
            responses.insert(status.to_string(), written);
        }
        Value::Object(responses)
    }

    fn answer(&mut self, answer: &Answer) -> Value {
        let mut written = Map::from_iter([("description".to_owned(), json!(answer.text))]);
        let mut contents = Map::new();
        for (form, schema) in &answer.forms {
            contents.extend(content(*form, self.schema(*schema)));
        }
        if !contents.is_empty() {
            written.insert("content".to_owned(), Value::Object(contents));
        }
        if !answer.headers.is_empty() {
            let header = |(name, text): &(&str, &str)| {
                ((*name).to_owned(), json!({"description": text, "schema": {"type": "string"}}))
            };
            written.insert("headers".to_owned(), answer.headers.iter().map(header).collect());
        }
        Value::Object(written)
    }

    fn schema(&mut self, of: SchemaOf) -> Value {
        of(&mut self.generator).to_value()
    }

    /// A schema that is not a reference to one.
    fn whole(&mut self, of: SchemaOf) -> Schema {
        let schema = of(&mut self.generator);
        let reference =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix(COMPONENTS));
        let found = reference.and_then(|name| self.generator.definitions().get(name).cloned());
        found.and_then(|value| Schema::try_from(value).ok()).unwrap_or(schema)
    }
}

/// The names of the parameters of a path.
pub(crate) fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The third part of the path says what it is about: streams, events, read-models, admin.
fn tag(path: &str) -> &str {
    path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next()).unwrap_or("server")
}

fn content(form: Form, schema: Value) -> Map<String, Value> {
    // What is a document a line, or not JSON at all, is text to a validator.
    let schema = match form {
        Form::Json => schema,
        Form::Ndjson | Form::Sse => json!({"type": "string", "x-each": schema}),
        Form::Html | Form::Text => json!({"type": "string"}),
    };
    Map::from_iter([(form.media_type().to_owned(), json!({"schema": schema}))])
}

/// A parameter that may be missing is no parameter that may be null.
fn without_null(mut schema: Value) -> Value {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            if let Some(kind) = schema.get_mut("type") {
                *kind = one;
            }
        }
    }
    if let Some(Value::Array(choices)) = schema.get("anyOf") {
        let rest: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").cloned().collect();
        if let [one] = rest.as_slice() {
            return one.clone();
        }
    }
    schema
}

fn problem_schema() -> Value {
    let types: Vec<_> = ProblemKind::ALL.iter().map(|kind| format!("/problems/{}", kind.slug())).collect();
    json!({
        "type": "object",
        "description": "RFC 9457, with members for the kind",
        "required": ["type", "title", "status", "detail", "retryable"],
        "properties": {
            "type": {"type": "string", "enum": types},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "retryable": {"type": "boolean"}
        }
    })
}
