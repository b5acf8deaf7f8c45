//! What a caller must be allowed to do.

/// The scope that an operation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// Anybody: health and the description of the API.
    Public,
    /// `command`, or `command:{category}`.
    Command,
    /// `query`, or `query:{read-model}`.
    Query,
    /// `admin:read`.
    AdminRead,
    /// `admin`.
    Admin,
}

impl Scope {
    /// Its name, as it stands in keys and tokens.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Command => "command",
            Self::Query => "query",
            Self::AdminRead => "admin:read",
            Self::Admin => "admin",
        }
    }
}
