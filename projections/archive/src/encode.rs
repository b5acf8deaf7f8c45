//! From commits to the bytes of a file: a row group at a time, so that memory is bounded by one of them and by the file.

use bytes::Bytes;
use headwater::store::{FeedRecord, PartitionId};
use headwater::{EventData, Metadata};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use crate::schema::{properties, schema};

/// A file in the making.
pub(crate) struct Encoder {
    partition: Bytes,
    file: SerializedFileWriter<Vec<u8>>,
}

impl Encoder {
    pub(crate) fn new(partition: &PartitionId) -> Result<Self> {
        let file = SerializedFileWriter::new(Vec::new(), schema(), properties())?;
        Ok(Self { partition: Bytes::copy_from_slice(partition.0.as_bytes()), file })
    }

    /// How many bytes it has so far.
    pub(crate) fn bytes(&self) -> usize {
        self.file.bytes_written()
    }

    /// Adds the events of these commits as a row group.
    pub(crate) fn row_group(&mut self, records: &[FeedRecord]) -> Result<()> {
        let mut group = Group { writer: self.file.next_row_group()?, records };
        group.of_commits(|record| text(record.commit.stream.category()))?;
        group.of_commits(|record| text(record.commit.stream.id()))?;
        group.of_events::<Int64Type>(|record, index, _| signed(record.commit.first.plus(index as u64).0))?;
        group.of_events::<ByteArrayType>(|_, _, event| text(&event.name))?;
        group.of_events::<Int64Type>(|_, _, event| i64::from(event.schema))?;
        group.of_events::<ByteArrayType>(|_, _, event| match is_text(event) {
            true => event.payload.clone().into(),
            false => Bytes::new().into(),
        })?;
        group
            .optional::<ByteArrayType>(|_, event| (!is_text(event)).then(|| event.payload.clone().into()))?;
        group.of_commits(|record| metadata(&record.commit.metadata))?;
        group.of_events::<Int64Type>(|record, _, _| record.commit.recorded_at.as_microsecond())?;
        group.of_commits(|record| text(&record.commit.id.to_string()))?;
        group.of_events::<Int32Type>(|_, index, _| index as i32)?;
        group.of_events::<Int32Type>(|record, _, _| record.commit.events.len() as i32)?;
        group.optional::<ByteArrayType>(|record, _| {
            record.commit.command.as_ref().map(|command| text(command.key.as_str()))
        })?;
        group.optional::<Int64Type>(|record, _| {
            record.commit.command.as_ref().map(|command| command.fingerprint.0.cast_signed())
        })?;
        let partition = self.partition.clone();
        group.of_commits(|_| partition.clone().into())?;
        group.of_commits(|record| text(&record.position.0))?;
        group.of_events::<BoolType>(|record, _, _| record.redelivered)?;
        group.writer.close()?;
        Ok(())
    }

    /// The whole file.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        self.file.into_inner()
    }
}

/// A row group in the making.
struct Group<'a> {
    writer: SerializedRowGroupWriter<'a, Vec<u8>>,
    records: &'a [FeedRecord],
}

impl Group<'_> {
    /// Writes the next column: one value for each event.
    fn of_events<T: DataType>(
        &mut self,
        value: impl Fn(&FeedRecord, usize, &EventData) -> T::T,
    ) -> Result<()> {
        let events = self.records.iter().flat_map(|record| {
            let events = record.commit.events.iter().enumerate();
            events.map(move |(index, event)| (record, index, event))
        });
        let values: Vec<_> = events.map(|(record, index, event)| value(record, index, event)).collect();
        self.write::<T>(&values, None)
    }

    /// Writes the next column: one text for each commit, the same for all of its events.
    fn of_commits(&mut self, value: impl Fn(&FeedRecord) -> ByteArray) -> Result<()> {
        let mut values = Vec::with_capacity(self.records.len());
        for record in self.records {
            values.resize(values.len() + record.commit.events.len(), value(record));
        }
        self.write::<ByteArrayType>(&values, None)
    }

    /// Writes the next column, which not every event has a value for.
    fn optional<T: DataType>(
        &mut self,
        value: impl Fn(&FeedRecord, &EventData) -> Option<T::T>,
    ) -> Result<()> {
        let events = self
            .records
            .iter()
            .flat_map(|record| record.commit.events.iter().map(move |event| (record, event)));
        let values: Vec<_> = events.map(|(record, event)| value(record, event)).collect();
        let levels: Vec<_> = values.iter().map(|value| i16::from(value.is_some())).collect();
        let values: Vec<_> = values.into_iter().flatten().collect();
        self.write::<T>(&values, Some(&levels))
    }

    fn write<T: DataType>(&mut self, values: &[T::T], levels: Option<&[i16]>) -> Result<()> {
        let column = self.writer.next_column()?;
        let mut column =
            column.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()
    }
}

/// Whether a payload can be a text; Headwater's own always can.
fn is_text(event: &EventData) -> bool {
    std::str::from_utf8(&event.payload).is_ok()
}

fn text(text: &str) -> ByteArray {
    Bytes::copy_from_slice(text.as_bytes()).into()
}

fn metadata(metadata: &Metadata) -> ByteArray {
    match metadata.is_empty() {
        true => Bytes::from_static(b"{}").into(),
        false => serde_json::to_vec(metadata).expect("metadata is texts under texts").into(),
    }
}

/// Versions and numbers far below 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
