//! The limits of the lease store (L12).

/// Most pages of one group; DynamoDB ends a page at 1 MB. A group that needs more is refused, not read in part.
pub const PAGES: usize = 64;
