//! What is shown of the settings: every one with its value and where it is from, secrets apart.

use serde::Serialize;
use serde_json::Value;

use super::load::Config;

/// A setting as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    /// Its name, such as `server.listen`.
    pub(crate) setting: String,
    /// Its value; a secret is hidden.
    pub(crate) value: Value,
    /// The flag, variable or file it is from, or `default`.
    pub(crate) source: String,
}

impl Config {
    /// Every setting.
    pub(crate) fn show(&self) -> Vec<Shown> {
        let settings = serde_json::to_value(&self.settings).unwrap_or_default();
        let mut shown = Vec::new();
        self.collect(&settings, String::new(), &mut shown);
        shown
    }

    fn collect(&self, value: &Value, setting: String, shown: &mut Vec<Shown>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, value) in members {
                    let dot = if setting.is_empty() { "" } else { "." };
                    self.collect(value, format!("{setting}{dot}{key}"), shown);
                }
            }
            value => {
                let source = self.source(&setting);
                shown.push(Shown { setting, value: value.clone(), source });
            }
        }
    }
}
