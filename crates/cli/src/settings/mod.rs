//! What the operator set: defaults, then the file named by `--config`, then the command line.
//!
//! A configuration file is read only where the command line names it, never from a bundle.

mod config;
mod excerpt;
pub(crate) mod names;
pub(crate) mod value;

use std::path::Path;

use nats_hindsight_analyzer::report::ConfigUsed;
use nats_hindsight_analyzer::settings::Settings;
use sha2::{Digest, Sha256};

pub(crate) use excerpt::ConfigError;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}; check the path given with --config")]
    Unreadable { path: String, source: std::io::Error },
    /// Something in the file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something on the command line is wrong.
    #[error("--set {argument}: {why}")]
    Set { argument: String, why: String },
}

/// Settings of a run.
pub(crate) fn load(config: Option<&Path>, set: &[String]) -> Result<Settings, SettingsError> {
    let mut settings = Settings::default();
    if let Some(path) = config {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: shown.clone(), source })?;
        config::read(&shown, &text, &mut settings)?;
        let digest = format!("sha256:{:x}", Sha256::digest(text.as_bytes()));
        settings.config.push(ConfigUsed { path: shown, digest });
    }
    for argument in set {
        set_one(argument, &mut settings)
            .map_err(|why| SettingsError::Set { argument: argument.clone(), why })?;
    }
    Ok(settings)
}

/// Takes one `CODE.key=value`.
fn set_one(argument: &str, settings: &mut Settings) -> Result<(), String> {
    let (name, text) = argument
        .split_once('=')
        .ok_or("write it as CODE.key=value, such as SERVER_002.recent=30min")?;
    let (check, key) = name
        .split_once('.')
        .ok_or("the key is missing: write it as CODE.key=value, such as SERVER_002.recent=30min")?;
    let check = names::check(check)?;
    let threshold = names::threshold(check, key.trim())?;
    let value = value::threshold(text, threshold.default)?;
    settings.thresholds.insert((check.code.to_owned(), threshold.key.to_owned()), value);
    Ok(())
}

#[cfg(test)]
mod tests;
