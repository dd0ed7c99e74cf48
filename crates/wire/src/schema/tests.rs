//! The schema against the examples, against the broken files, and against the copy that editors are given. Must not test
//! the grammar itself.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jsonschema::Validator;
use pilotage_domain::definition::fault::FaultCode;
use serde_json::Value;

use super::definition;
use crate::yaml;

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names(folder: &str) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(path).expect("the folder is part of the repository");
    let names =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".yaml")).collect();
    names.sort();
    names
}

fn instance(text: &str) -> Option<Value> {
    let node = yaml::parse(text).ok()?;
    Some(serde_json::to_value(node.to_value()).expect("a tree of plain values"))
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&definition()).expect("a schema")
}

#[test]
fn every_example_is_valid() {
    let validator = validator();
    for name in names("../../examples") {
        let example = instance(&read(&format!("../../examples/{name}"))).expect("YAML");
        let errors: Vec<_> = validator
            .iter_errors(&example)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn what_is_broken_in_form_is_invalid() {
    // An enum without values and a call to action without words depend on what stands beside them, and blank text on what
    // counts as blank: those the schema leaves to the checker.
    const LEFT: [&str; 3] = ["missing-cta.yaml", "missing-enum-values.yaml", "blank-copy.yaml"];
    const FORM: [FaultCode; 11] = [
        FaultCode::WrongType,
        FaultCode::UnknownKey,
        FaultCode::MissingKey,
        FaultCode::UnknownWord,
        FaultCode::Empty,
        FaultCode::TooLong,
        FaultCode::OutOfRange,
        FaultCode::BadIdentifier,
        FaultCode::BadDuration,
        FaultCode::BadCondition,
        FaultCode::UnsupportedFormat,
    ];
    let validator = validator();
    let mut tried = 0;
    for name in
        names("tests/definitions/broken").iter().filter(|name| !LEFT.contains(&name.as_str()))
    {
        let text = read(&format!("tests/definitions/broken/{name}"));
        let broken = yaml::load(&text)
            .is_err_and(|faults| faults.iter().any(|fault| FORM.contains(&fault.code)));
        if let (true, Some(instance)) = (broken, instance(&text)) {
            assert!(!validator.is_valid(&instance), "{name} passes");
            tried += 1;
        }
    }
    assert!(tried >= 15, "only {tried} files are broken in form");
}

/// Goes through a file and the schema side by side and notes which keys of which definition are used.
struct Walk<'a> {
    schema: &'a Value,
    used: BTreeSet<(String, String)>,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Value, name: &str, value: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().expect("it has a last part");
            let schema = self.schema["$defs"][name].clone();
            return self.visit(&schema, name, value);
        }
        for options in [&schema["oneOf"], &schema["anyOf"]] {
            for option in options.as_array().into_iter().flatten() {
                if self.fits(option, value) {
                    self.visit(option, name, value);
                }
            }
        }
        for (key, member) in value.as_object().into_iter().flatten() {
            if schema["properties"][key].is_object() {
                self.used.insert((name.to_owned(), key.clone()));
                self.visit(&schema["properties"][key], name, member);
            } else if schema["additionalProperties"].is_object() {
                self.visit(&schema["additionalProperties"], name, member);
            }
        }
        for item in value.as_array().into_iter().flatten().filter(|_| schema["items"].is_object()) {
            self.visit(&schema["items"], name, item);
        }
    }

    /// Whether the value has the keys that the referred definition needs.
    fn fits(&self, option: &Value, value: &Value) -> bool {
        let Some(reference) = option["$ref"].as_str() else { return false };
        let name = reference.rsplit('/').next().expect("it has a last part");
        let required =
            self.schema["$defs"][name]["required"].as_array().expect("every definition says it");
        value.is_object()
            && required.iter().all(|key| value.get(key.as_str().expect("a name")).is_some())
    }
}

#[test]
fn forms_yaml_uses_every_key_that_there_is() {
    let schema = definition();
    let mut walk = Walk { schema: &schema, used: BTreeSet::new() };
    let forms = instance(&read("../../examples/forms.yaml")).expect("YAML");
    walk.visit(&schema, "product_file", &forms);
    let mut known = BTreeSet::new();
    let defs = schema["$defs"].as_object().expect("definitions").iter();
    for (name, shape) in
        defs.map(|(name, shape)| (name.as_str(), shape)).chain([("product_file", &schema)])
    {
        for key in
            shape["properties"].as_object().into_iter().flat_map(|properties| properties.keys())
        {
            known.insert((name.to_owned(), key.clone()));
        }
    }
    let unused: Vec<_> = known.difference(&walk.used).collect();
    assert!(unused.is_empty(), "not in forms.yaml: {unused:?}");
}

#[test]
fn every_key_says_what_it_is_for() {
    fn visit(value: &Value, path: &str) {
        for (name, property) in value["properties"].as_object().into_iter().flatten() {
            let about = property["description"].as_str().unwrap_or_default();
            assert!(about.ends_with('.') || about.ends_with('`'), "{path}.{name}: {about:?}");
        }
        value["$defs"]
            .as_object()
            .into_iter()
            .flatten()
            .for_each(|(name, shape)| visit(shape, name));
    }
    visit(&definition(), "");
}

#[test]
fn the_published_copy_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/pilotage.schema.json");
    let text = format!("{:#}\n", definition());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).expect("a writable checkout");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "docs/pilotage.schema.json is out of date; write it anew with `UPDATE_GOLDEN=1 cargo test -p pilotage-wire schema`"
    );
}
