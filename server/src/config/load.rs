//! Reading the settings, and where each is from.

use std::path::{Path, PathBuf};

use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::mistake::{self, ConfigError};
use super::settings::Settings;

/// The file that is read when none is named.
const FILE: &str = "headwater.toml";
/// What the names of our variables begin with. One without two underscores behind it is not ours.
const VARIABLES: &str = "HEADWATER_";

/// A setting that a flag gave.
#[derive(Debug, Clone)]
pub(crate) struct Flag {
    /// The flag as it is typed.
    pub(crate) flag: &'static str,
    /// The setting, such as `server.listen`.
    pub(crate) setting: &'static str,
    /// What it was given.
    pub(crate) value: Value,
}

/// The settings, checked, with where each is from.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The settings.
    pub(crate) settings: Settings,
    pub(super) sources: Figment,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting, where it is from, and what to do.
    pub(crate) fn load(application: &str, file: Option<&Path>, flags: &[Flag]) -> Result<Self, ConfigError> {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            return Err(ConfigError::NoFile { file: file.to_owned() });
        }
        let file = file.map_or_else(|| PathBuf::from(FILE), Path::to_owned);
        let environment = Env::prefixed(VARIABLES).filter(|name| name.as_str().contains("__")).split("__");
        let defaults = Serialized::defaults(Settings::of(application));
        let sources = Figment::from(defaults).merge(Toml::file(file)).merge(environment);
        let sources = flags.iter().fold(sources, |sources, flag| sources.merge(flag.clone()));
        let settings: Settings = sources.extract().map_err(|error| mistake::of(&error, &sources))?;
        settings.auth.check().map_err(ConfigError::Auth)?;
        let config = Self { settings, sources };
        config.settings.otlp.check(cfg!(feature = "otlp")).map_err(|reason| {
            let setting = "otlp.endpoint".to_owned();
            ConfigError::Value { source_name: config.source(&setting), setting, reason }
        })?;
        Ok(config)
    }

    /// Where a setting is from.
    pub(super) fn source(&self, setting: &str) -> String {
        self.sources.find_metadata(setting).map_or_else(|| "default".to_owned(), |from| origin(from, setting))
    }
}

/// Where a value is from, in words.
pub(super) fn origin(from: &Metadata, setting: &str) -> String {
    match &from.source {
        Some(figment::Source::File(path)) => path.display().to_string(),
        Some(figment::Source::Custom(flag)) => flag.clone(),
        _ if from.name.contains("environment") => {
            let name = setting.to_uppercase().replace('.', "__");
            format!("variable {VARIABLES}{name}")
        }
        _ => "default".to_owned(),
    }
}

impl Provider for Flag {
    fn metadata(&self) -> Metadata {
        Metadata::from("flag", figment::Source::Custom(format!("flag {}", self.flag)))
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let value = self
            .setting
            .rsplit('.')
            .fold(self.value.clone(), |value, key| Value::from(Dict::from([(key.to_owned(), value)])));
        let dict = value.into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}
