//! The columns of a file: one row for each event. docs/archive.md says what they mean to others.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, Type};

/// The columns in the order of the file.
const MESSAGE: &str = "message event {
    required binary category (STRING);
    required binary id (STRING);
    required int64 version;
    required binary type (STRING);
    required int64 schema;
    required binary data (STRING);
    optional binary data_bytes;
    required binary metadata (STRING);
    required int64 recorded_at (TIMESTAMP(MICROS, true));
    required binary commit_id (STRING);
    required int32 commit_index;
    required int32 commit_events;
    optional binary command_key (STRING);
    optional int64 command_fingerprint;
    required binary partition (STRING);
    required binary position (STRING);
    required boolean redelivered;
}";

/// The columns by their place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Category,
    Id,
    Version,
    Type,
    Schema,
    Data,
    DataBytes,
    Metadata,
    RecordedAt,
    CommitId,
    CommitIndex,
    CommitEvents,
    CommandKey,
    CommandFingerprint,
    Partition,
    Position,
    Redelivered,
}

impl Column {
    /// Its place in the file, from 0.
    pub(crate) fn place(self) -> usize {
        self as usize
    }
}

/// How many columns there are.
pub(crate) const COLUMNS: usize = 17;

/// Columns whose values are all different, or nearly so: a dictionary of them costs and saves nothing.
const PLAIN: [&str; 6] = ["version", "data", "recorded_at", "commit_id", "command_key", "position"];

pub(crate) fn schema() -> Arc<Type> {
    Arc::new(parse_message_type(MESSAGE).expect("the columns are written in the language of Parquet"))
}

pub(crate) fn properties() -> Arc<WriterProperties> {
    let level = ZstdLevel::try_new(3).expect("zstd has a level 3");
    let properties = WriterProperties::builder()
        .set_created_by(concat!("headwater ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("data"), EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("metadata"), EnabledStatistics::None);
    let plain = |properties: parquet::file::properties::WriterPropertiesBuilder, column: &&str| {
        properties.set_column_dictionary_enabled(ColumnPath::from(*column), false)
    };
    Arc::new(PLAIN.iter().fold(properties, plain).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_the_place_that_the_schema_gives_it() {
        let schema = schema();
        let names: Vec<_> = schema.get_fields().iter().map(|field| field.name()).collect();
        assert_eq!(names.len(), COLUMNS);
        for (column, name) in [
            (Column::Category, "category"),
            (Column::DataBytes, "data_bytes"),
            (Column::CommandKey, "command_key"),
            (Column::Redelivered, "redelivered"),
        ] {
            assert_eq!(names[column.place()], name);
        }
        assert!(PLAIN.iter().all(|plain| names.contains(plain)));
    }
}
