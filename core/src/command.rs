//! Commands: what can be asked of an aggregate.

use std::fmt::Debug;

use crate::codec::{CommandError, EncodeError};
use crate::key::Fingerprint;
use crate::schema::CommandSchema;

/// The commands of an aggregate: an enum; derived, never written by hand.
///
/// The wire name is the variant's name in kebab case, or `#[command(name = "…")]`.
///
/// ```
/// use headwater::Command;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Command)]
/// pub enum DoorCommand {
///     OpenWide { by: String },
///     Close,
/// }
///
/// let command = DoorCommand::decode("open-wide", br#"{"by": "ada"}"#)?;
/// assert_eq!(command, DoorCommand::OpenWide { by: "ada".to_owned() });
/// assert!(DoorCommand::decode("open-wide", b"{}").unwrap_err().to_string().contains("`by`"));
/// # Ok::<(), headwater::codec::CommandError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command type",
    label = "add `#[derive(headwater::Command)]` to this enum",
    note = "it also needs serde's `Serialize` and `Deserialize`"
)]
pub trait Command: Clone + Debug + Send + Sync + Sized + 'static {
    /// The wire name of every variant, in the order of the variants.
    const NAMES: &'static [&'static str];

    /// The names of the commands that must say which version they expect, marked with `#[command(needs_version)]`: such
    /// as what a person decided by looking at a state. Asking without is refused by the server, not by the executor.
    const NEEDS_VERSION: &'static [&'static str] = &[];

    /// Name and content as JSON.
    ///
    /// # Errors
    /// [`EncodeError`] when a field cannot be written as JSON.
    fn encode(&self) -> Result<(&'static str, Vec<u8>), EncodeError>;

    /// Reads a command.
    ///
    /// # Errors
    /// [`CommandError`] naming the known commands, or the field that is wrong.
    fn decode(name: &str, data: &[u8]) -> Result<Self, CommandError>;

    /// The JSON Schema of every command.
    fn schemas() -> Vec<CommandSchema>;

    /// The digest of name and content that tells a repeat from another command under the same key.
    ///
    /// # Errors
    /// [`EncodeError`] when a field cannot be written as JSON.
    fn fingerprint(&self) -> Result<Fingerprint, EncodeError> {
        let (name, data) = self.encode()?;
        Ok(Fingerprint::of(&[name.as_bytes(), &data]))
    }
}
