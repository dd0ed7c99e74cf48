//! The JSON Schema of a product file, for editors: made of the grammar that the checker reads, so that the two can't
//! differ. Must not promise more than form: names and meaning are for `pilotage check`.

use pilotage_domain::definition::grammar::{
    CONDITIONS, FEATURE, Form, Key, Kind, MOST_PATTERN, MOST_SCALAR, MOST_TEMPLATE, PRODUCT,
    Presence, Shape, TEST,
};
use serde_json::{Map, Value, json};

/// The schema, draft 2020-12. (`enumDescriptions` is no part of the draft; VS Code shows it.)
pub fn definition() -> Value {
    let mut defs = Map::new();
    let mut root = object(&PRODUCT, &mut defs);
    let conditions: Vec<Value> =
        CONDITIONS.iter().map(|shape| reference(shape, &mut defs)).collect();
    defs.insert(
        "condition".to_owned(),
        json!({
            "description": "Exactly one form of a condition; they may be nested eight levels deep.",
            "type": "object",
            "oneOf": conditions,
        }),
    );
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:pilotage:definition:1",
        "title": "Pilotage product definition, format 1",
        "$defs": defs,
    });
    extend(&mut root, head);
    root
}

/// The name that a shape has among the definitions: `a guide` is `guide`, `` an `all` condition `` is `all_condition`.
fn slug(shape: &Shape) -> String {
    let name = shape.name.replace('`', "");
    let words = name.split(' ').filter(|word| !["a", "an", "the"].contains(word));
    words.collect::<Vec<_>>().join("_")
}

/// Refers to the shape, which is among the definitions from here on.
fn reference(shape: &'static Shape, defs: &mut Map<String, Value>) -> Value {
    let name = slug(shape);
    if !defs.contains_key(&name) {
        // Conditions hold conditions: the name has to be there before its inside is looked at.
        defs.insert(name.clone(), Value::Null);
        let schema = object(shape, defs);
        defs.insert(name.clone(), schema);
    }
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn object(shape: &'static Shape, defs: &mut Map<String, Value>) -> Value {
    let property = |key: &'static Key, defs: &mut Map<String, Value>| {
        let mut schema = form(&key.form, defs);
        extend(&mut schema, json!({ "description": key.about }));
        if let Presence::Default(default) = key.presence {
            // The grammar's own tests read every default.
            extend(
                &mut schema,
                json!({ "default": serde_json::from_str::<Value>(default).unwrap_or_default() }),
            );
        }
        (key.name.to_owned(), schema)
    };
    let properties: Map<_, _> = shape.keys.iter().map(|key| property(key, defs)).collect();
    let required =
        shape.keys.iter().filter(|key| key.presence == Presence::Required).map(|key| key.name);
    let mut schema = json!({
        "description": shape.about,
        "type": "object",
        "properties": properties,
        "required": required.collect::<Vec<_>>(),
        "additionalProperties": false,
    });
    if !shape.one_of.is_empty() {
        let alternatives: Vec<_> =
            shape.one_of.iter().map(|name| json!({ "required": [name] })).collect();
        extend(&mut schema, json!({ "anyOf": alternatives }));
    }
    schema
}

fn extend(schema: &mut Value, more: Value) {
    if let (Value::Object(schema), Value::Object(more)) = (schema, more) {
        schema.extend(more);
    }
}

fn form(form: &'static Form, defs: &mut Map<String, Value>) -> Value {
    match form {
        Form::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Form::FormatNumber => json!({ "const": 1 }),
        Form::Number => json!({ "type": "number" }),
        Form::Share => json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 }),
        Form::Rate => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Scalar => scalar(),
        Form::ScalarOrTest => json!({ "anyOf": [scalar(), reference(&TEST, defs)] }),
        Form::Condition => json!({ "$ref": "#/$defs/condition" }),
        Form::Feature => json!({ "anyOf": [{ "type": "string" }, reference(&FEATURE, defs)] }),
        Form::List(of, least, most) => {
            json!({ "type": "array", "items": self::form(of, defs), "minItems": least, "maxItems": most })
        }
        Form::Shape(shape) => reference(shape, defs),
        Form::ShapeOrNothing(shape) => {
            json!({ "anyOf": [reference(shape, defs), { "type": "null" }] })
        }
        Form::Map(key, of, least, most) => json!({
            "type": "object",
            "propertyNames": self::form(key, defs),
            "additionalProperties": self::form(of, defs),
            "minProperties": least,
            "maxProperties": most,
        }),
        _ => text(form),
    }
}

fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean"], "maxLength": MOST_SCALAR })
}

/// The forms that are text.
fn text(form: &Form) -> Value {
    let mut schema = match form {
        Form::Text(most) => json!({ "minLength": 1, "maxLength": most }),
        Form::Template => json!({ "minLength": 1, "maxLength": MOST_TEMPLATE }),
        Form::Identifier => json!({ "pattern": "^[a-z0-9_-]{1,64}$" }),
        Form::EventName => json!({ "pattern": "^[A-Za-z0-9_.:-]{1,64}$" }),
        Form::AttributeName => json!({ "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,63}$" }),
        Form::Duration(..) => {
            json!({ "pattern": "^[0-9]+[smhd]$", "examples": ["30m", "24h", "7d"] })
        }
        Form::VersionRange => json!({ "minLength": 1, "examples": [">=2.0.0, <4.0.0"] }),
        Form::Time => {
            json!({ "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", "examples": ["2027-01-31T00:00:00Z"] })
        }
        Form::Locale => {
            json!({ "pattern": "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$", "maxLength": 35 })
        }
        Form::Path => {
            json!({ "pattern": "^/", "maxLength": 500, "examples": ["/projects", "/projects/:id"] })
        }
        Form::PayloadPath => json!({ "pattern": "^[^.]+(\\.[^.]+)*$", "maxLength": 200 }),
        Form::Pattern => json!({ "minLength": 1, "maxLength": MOST_PATTERN }),
        Form::Word(words) => {
            let (words, abouts): (Vec<_>, Vec<_>) = words().into_iter().unzip();
            json!({ "enum": words, "enumDescriptions": abouts })
        }
        Form::Reference(Kind::Anchor) => json!({ "examples": ["signup", "last_event"] }),
        Form::Reference(Kind::RouteOrAny) => json!({ "examples": ["*"] }),
        _ => json!({}),
    };
    extend(&mut schema, json!({ "type": "string" }));
    schema
}

#[cfg(test)]
mod tests;
