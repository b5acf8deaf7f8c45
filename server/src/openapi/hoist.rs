//! JSON Schemas that stand alone, as components of an OpenAPI document: their definitions get names of their own there.

use serde_json::{Map, Value};

/// Where components of a document are.
pub(super) const COMPONENTS: &str = "#/components/schemas/";
/// Where the definitions of a schema that stands alone are.
const DEFINITIONS: &str = "#/$defs/";

/// Adds a schema under a name, its definitions under `{prefix}.{name of the definition}`, and answers with the reference
/// to it.
pub(super) fn hoist(components: &mut Map<String, Value>, prefix: &str, name: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(members) = &mut schema {
        members.remove("$schema");
        if let Some(Value::Object(definitions)) = members.remove("$defs") {
            for (definition, mut value) in definitions {
                point_to_components(&mut value, prefix);
                components.insert(format!("{prefix}.{definition}"), value);
            }
        }
    }
    point_to_components(&mut schema, prefix);
    components.insert(name.to_owned(), schema);
    serde_json::json!({ "$ref": format!("{COMPONENTS}{name}") })
}

fn point_to_components(value: &mut Value, prefix: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(target) if name == "$ref" => {
                        if let Some(definition) = target.strip_prefix(DEFINITIONS) {
                            *target = format!("{COMPONENTS}{prefix}.{definition}");
                        }
                    }
                    other => point_to_components(other, prefix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_to_components(item, prefix)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn definitions_become_components_and_references_follow_them() {
        let mut components = Map::new();
        let schema = json!({
            "$schema": "x", "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A"}, "$ref": {"type": "string"}},
            "$defs": {"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"type": "string"}}
        });
        let reference = hoist(&mut components, "account", "account.open", &schema);
        assert_eq!(reference, json!({"$ref": "#/components/schemas/account.open"}));
        assert_eq!(
            Value::Object(components),
            json!({
                "account.A": {"items": {"$ref": "#/components/schemas/account.B"}},
                "account.B": {"type": "string"},
                "account.open": {
                    "type": "object",
                    "properties": {"a": {"$ref": "#/components/schemas/account.A"}, "$ref": {"type": "string"}}
                }
            })
        );
    }
}
