//! What is wrong with the configuration: which setting, where it is from, and what to do.

use std::path::PathBuf;

use figment::Figment;
use figment::error::Kind;

use super::load::origin;
use crate::auth::AuthMistake;

/// How alike a key must be to one that exists to be suggested, of 1.
const ALIKE: f64 = 0.75;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{} does not exist: name another with --config", file.display())]
    NoFile { file: PathBuf },
    #[error("unknown setting {setting} in {source_name}: {advice}")]
    Unknown { setting: String, source_name: String, advice: String },
    #[error("setting {setting} in {source_name} is not valid: {reason}")]
    Value { setting: String, source_name: String, reason: String },
    #[error("{source_name} cannot be read: {reason}")]
    Syntax { source_name: String, reason: String },
    #[error(transparent)]
    Auth(AuthMistake),
}

/// A mistake in our words.
pub(super) fn of(error: &figment::Error, sources: &Figment) -> ConfigError {
    let path = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(key, known) => {
            let setting = match path.is_empty() {
                true => key.clone(),
                // The path may already end in the key.
                false if error.path.last() == Some(key) => path,
                false => format!("{path}.{key}"),
            };
            let source_name = from(error, sources, &setting);
            ConfigError::Unknown { advice: advice(key, known, &setting), setting, source_name }
        }
        _ if path.is_empty() => {
            let source_name = error
                .metadata
                .as_ref()
                .map_or_else(|| "the configuration".to_owned(), |from| origin(from, ""));
            ConfigError::Syntax { source_name, reason: error.kind.to_string() }
        }
        kind => {
            let source_name = from(error, sources, &path);
            ConfigError::Value { setting: path, source_name, reason: kind.to_string() }
        }
    }
}

fn from(error: &figment::Error, sources: &Figment, setting: &str) -> String {
    let from = sources.find_metadata(setting).or(error.metadata.as_ref());
    from.map_or_else(|| "the configuration".to_owned(), |from| origin(from, setting))
}

/// Which key was meant, or which there are.
fn advice(key: &str, known: &[&str], setting: &str) -> String {
    let section = setting.rsplit_once('.').map(|(section, _)| format!("{section}.")).unwrap_or_default();
    let alike = known.iter().map(|known| (strsim::jaro_winkler(key, known), known));
    match alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).filter(|(alike, _)| *alike >= ALIKE) {
        Some((_, meant)) => format!("did you mean {section}{meant}?"),
        None => format!("known are {}", known.join(", ")),
    }
}
