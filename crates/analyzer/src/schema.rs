//! JSON Schemas of everything the tool prints as JSON, made from the types that are printed.
//!
//! The shapes change only by addition, so a schema forbids nothing that it does not know: unknown
//! fields are allowed everywhere, and so are kinds of subjects that do not exist yet. What is there
//! today is required, because it will be there tomorrow.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::listing::CheckRow;
use crate::report::Report;
use crate::survey::Survey;

/// Every schema by the name of its file.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("checks.schema.json", of::<Vec<CheckRow>>("what `hindsight checks --format json` prints")),
        ("inspect.schema.json", of::<Survey>("what `hindsight inspect --format json` prints")),
        ("report.schema.json", of::<Report>("what `hindsight analyze --format json` prints")),
    ]
}

fn of<T: JsonSchema>(about: &str) -> Value {
    // What is written is described, not what could be read: a field that is always written is
    // required even where it may be null.
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert(
        "$comment".to_owned(),
        format!("This is {about}. Fields are only added: ignore those you do not know.").into(),
    );
    schema.to_value()
}

/// Lets pass any kind of subject that is added later, and still holds the known ones to their
/// fields.
pub(crate) fn with_kinds_to_come(schema: &mut Schema) {
    let Some(known) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let kinds: Vec<Value> =
        known.iter().map(|kind| kind["properties"]["kind"]["const"].clone()).collect();
    let to_come = json!({
        "description": "A kind that a later minor version adds.",
        "type": "object",
        "properties": { "kind": { "type": "string", "not": { "enum": kinds } } },
        "required": ["kind"],
    });
    if let Some(all) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        all.push(to_come);
    }
}
