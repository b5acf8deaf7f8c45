//! For tests: what lies between the SDK and a look-alike. It writes down every request and its price, and on demand it
//! loses answers, gives others, or ends the process.

mod clients;
mod crash;
mod mishap;
mod tap;
mod wire;

pub use clients::{dynamodb, dynamodb_over, kinesis, kinesis_over};
pub use crash::Crash;
pub use mishap::Mishap;
pub use wire::Wire;
