//! The published schemas, and whether something holds to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

/// Schema of `hindsight analyze --format json`.
pub const REPORT: &str = "report.schema.json";
/// Schema of `hindsight inspect --format json`.
pub const INSPECT: &str = "inspect.schema.json";
/// Schema of `hindsight checks --format json`.
pub const CHECKS: &str = "checks.schema.json";

static VALIDATORS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let compiled = |name| match jsonschema::validator_for(&published(name)) {
        Ok(validator) => (name, validator),
        Err(error) => panic!("{name} is no schema: {error}"),
    };
    [REPORT, INSPECT, CHECKS].into_iter().map(compiled).collect()
});

/// A schema as it stands in `docs/`.
///
/// # Panics
/// If it is not there, or is no JSON.
pub fn published(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run cargo xtask docs", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is wrong with a value by a published schema, each with its place; empty if nothing is.
///
/// # Panics
/// If there is no such schema.
pub fn errors(name: &str, value: &Value) -> Vec<String> {
    let Some(validator) = VALIDATORS.get(name) else { panic!("there is no schema {name}") };
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// The JSON in a text, which must hold to a published schema.
///
/// # Panics
/// If it does not, or is no JSON.
pub fn parse(name: &str, text: &str) -> Value {
    let value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON: {error}\n{text}"));
    let errors = errors(name, &value);
    assert!(errors.is_empty(), "not as {name} has it:\n{}", errors.join("\n"));
    value
}
