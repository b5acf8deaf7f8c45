//! Where the files lie: the seam to S3. Objects are put once, and never changed or deleted by Headwater.

mod error;
#[cfg(feature = "testing")]
mod memory;
mod s3;
mod traits;

pub use error::ObjectError;
#[cfg(feature = "testing")]
pub use memory::{MemoryObjects, Mishap};
pub use s3::S3Objects;
pub use traits::{Listed, Listing, Object, Objects, Put, Words};
