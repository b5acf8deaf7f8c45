//! What the AWS backends of Headwater share. It knows nothing of commits, rows or leases.
//!
//! - [`Settings`]: how often a request is tried and when it is given up, for each kind of use,
//! - [`Failure`]: what an error of the SDK means, in words that say what to do,
//! - [`Attempts`]: whether a lost answer may hide a write,
//! - [`tables`]: making and checking DynamoDB tables; [`control`]: the one that several backends share.

mod attempts;
pub mod control;
mod failure;
mod settings;
pub mod tables;
#[cfg(feature = "testing")]
pub mod testing;

pub use attempts::Attempts;
pub use failure::{Failure, failure, write_failure};
pub use settings::Settings;
