//! From the bytes of a file to its events: borrowed, a few thousand at a time, only the columns that are asked for.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use headwater::{CommitId, Timestamp, Version};
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use uuid::Uuid;

use crate::limits::DECODE_EVENTS;
use crate::schema::{COLUMNS, Column};

/// Which columns are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// What a projection can see of an event.
    History,
    /// All of them.
    All,
}

/// An event as it lies in a file.
#[derive(Debug, Clone, Copy)]
pub struct ArchivedEvent<'a> {
    /// The category of its stream.
    pub category: &'a str,
    /// The id of its stream in the category.
    pub id: &'a str,
    /// Its version in the stream.
    pub version: Version,
    /// The wire name of its type.
    pub name: &'a str,
    /// The schema version of its payload.
    pub schema: u32,
    /// Its payload as it was stored.
    pub payload: &'a [u8],
    /// When its commit was decided.
    pub recorded_at: Timestamp,
    /// The metadata of its commit, JSON; empty when nothing is known.
    pub metadata: &'a [u8],
    /// Its commit.
    pub commit: CommitId,
    /// Its place in the commit, from 0.
    pub index: u32,
    /// What projections cannot see, when all columns are read.
    pub rest: Option<Rest<'a>>,
}

/// What else a file says about an event.
#[derive(Debug, Clone, Copy)]
pub struct Rest<'a> {
    /// How many events its commit has.
    pub commit_events: u32,
    /// The key and the fingerprint of its command, if it came with a key.
    pub command: Option<(&'a str, u64)>,
    /// The partition it was read from.
    pub partition: &'a str,
    /// Its position there.
    pub position: &'a str,
    /// Whether the publisher knew that it was published before.
    pub redelivered: bool,
}

/// Hands the events of one row group after the other to whoever asks.
pub(crate) struct Decoder {
    file: SerializedFileReader<Bytes>,
    columns: Columns,
    group: usize,
}

impl Decoder {
    pub(crate) fn new(body: Bytes, columns: Columns) -> Result<Self, String> {
        let file = guarded(|| SerializedFileReader::new(body).map_err(|error| error.to_string()))?;
        let found = file.metadata().file_metadata().schema_descr().num_columns();
        match found == COLUMNS {
            true => Ok(Self { file, columns, group: 0 }),
            false => Err(format!("it has {found} columns, and files of the archive have {COLUMNS}")),
        }
    }

    /// Hands out the events of the next row group; `None` when there is no other one.
    pub(crate) fn row_group(
        &mut self,
        visit: &mut dyn FnMut(ArchivedEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Option<ControlFlow<()>>, String> {
        if self.group == self.file.num_row_groups() {
            return Ok(None);
        }
        let group = guarded(|| self.file.get_row_group(self.group).map_err(|error| error.to_string()))?;
        self.group += 1;
        let mut rows = guarded(|| Rows::new(group.as_ref(), self.columns))?;
        let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        while left > 0 {
            let batch = left.min(DECODE_EVENTS);
            guarded(|| rows.read(batch))?;
            for row in 0..batch {
                if visit(rows.event(row)?).is_break() {
                    return Ok(Some(ControlFlow::Break(())));
                }
            }
            left -= batch;
        }
        Ok(Some(ControlFlow::Continue(())))
    }
}

/// The reader of Parquet panics over some files that are broken: that is an error of the file, and no more.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("it is not Parquet that can be read".to_owned()))
}

/// The rows of a row group that are decoded at the moment.
struct Rows {
    category: Values<ByteArrayType>,
    id: Values<ByteArrayType>,
    version: Values<Int64Type>,
    name: Values<ByteArrayType>,
    schema: Values<Int64Type>,
    data: Values<ByteArrayType>,
    /// Only when any payload of the row group is no text.
    data_bytes: Option<Optional<ByteArrayType>>,
    metadata: Values<ByteArrayType>,
    recorded_at: Values<Int64Type>,
    commit: Values<ByteArrayType>,
    index: Values<Int32Type>,
    rest: Option<RestRows>,
}

struct RestRows {
    commit_events: Values<Int32Type>,
    key: Optional<ByteArrayType>,
    fingerprint: Optional<Int64Type>,
    partition: Values<ByteArrayType>,
    position: Values<ByteArrayType>,
    redelivered: Values<BoolType>,
}

impl Rows {
    fn new(group: &dyn RowGroupReader, columns: Columns) -> Result<Self, String> {
        let rows = u64::try_from(group.metadata().num_rows()).unwrap_or_default();
        let statistics = group.metadata().column(Column::DataBytes.place()).statistics();
        let all_text = statistics.and_then(|statistics| statistics.null_count_opt()) == Some(rows);
        let rest = match columns {
            Columns::History => None,
            Columns::All => Some(RestRows {
                commit_events: Values::new(group, Column::CommitEvents)?,
                key: Optional::new(group, Column::CommandKey)?,
                fingerprint: Optional::new(group, Column::CommandFingerprint)?,
                partition: Values::new(group, Column::Partition)?,
                position: Values::new(group, Column::Position)?,
                redelivered: Values::new(group, Column::Redelivered)?,
            }),
        };
        Ok(Self {
            category: Values::new(group, Column::Category)?,
            id: Values::new(group, Column::Id)?,
            version: Values::new(group, Column::Version)?,
            name: Values::new(group, Column::Type)?,
            schema: Values::new(group, Column::Schema)?,
            data: Values::new(group, Column::Data)?,
            data_bytes: (!all_text).then(|| Optional::new(group, Column::DataBytes)).transpose()?,
            metadata: Values::new(group, Column::Metadata)?,
            recorded_at: Values::new(group, Column::RecordedAt)?,
            commit: Values::new(group, Column::CommitId)?,
            index: Values::new(group, Column::CommitIndex)?,
            rest,
        })
    }

    /// Decodes the next rows of every column.
    fn read(&mut self, rows: usize) -> Result<(), String> {
        self.category.read(rows)?;
        self.id.read(rows)?;
        self.version.read(rows)?;
        self.name.read(rows)?;
        self.schema.read(rows)?;
        self.data.read(rows)?;
        if let Some(data_bytes) = &mut self.data_bytes {
            data_bytes.read(rows)?;
        }
        self.metadata.read(rows)?;
        self.recorded_at.read(rows)?;
        self.commit.read(rows)?;
        self.index.read(rows)?;
        if let Some(rest) = &mut self.rest {
            rest.commit_events.read(rows)?;
            rest.key.read(rows)?;
            rest.fingerprint.read(rows)?;
            rest.partition.read(rows)?;
            rest.position.read(rows)?;
            rest.redelivered.read(rows)?;
        }
        Ok(())
    }

    fn event(&self, row: usize) -> Result<ArchivedEvent<'_>, String> {
        let binary = match &self.data_bytes {
            Some(data_bytes) => data_bytes.get(row)?,
            None => None,
        };
        let payload = binary.map_or_else(|| self.data.get(row), Ok)?.data();
        let metadata = self.metadata.get(row)?.data();
        let at = *self.recorded_at.get(row)?;
        let commit = self.commit.get(row)?.data();
        Ok(ArchivedEvent {
            category: self.category.text(row)?,
            id: self.id.text(row)?,
            version: Version((*self.version.get(row)?).cast_unsigned()),
            name: self.name.text(row)?,
            schema: u32::try_from(*self.schema.get(row)?).map_err(|_| "a schema version is too large")?,
            payload,
            recorded_at: Timestamp::from_microsecond(at).map_err(|error| error.to_string())?,
            metadata: if metadata == b"{}" { b"" } else { metadata },
            commit: CommitId(Uuid::try_parse_ascii(commit).map_err(|error| error.to_string())?),
            index: (*self.index.get(row)?).cast_unsigned(),
            rest: self.rest.as_ref().map(|rest| rest.get(row)).transpose()?,
        })
    }
}

impl RestRows {
    fn get(&self, row: usize) -> Result<Rest<'_>, String> {
        let key = self.key.get(row)?.map(utf8).transpose()?;
        let fingerprint = self.fingerprint.get(row)?.map(|fingerprint| fingerprint.cast_unsigned());
        Ok(Rest {
            commit_events: (*self.commit_events.get(row)?).cast_unsigned(),
            command: key.zip(fingerprint),
            partition: self.partition.text(row)?,
            position: self.position.text(row)?,
            redelivered: *self.redelivered.get(row)?,
        })
    }
}

/// A column that has a value in every row.
struct Values<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
}

impl<T: DataType> Values<T> {
    fn new(group: &dyn RowGroupReader, column: Column) -> Result<Self, String> {
        Ok(Self { reader: reader(group, column, T::get_physical_type(), false)?, values: Vec::new() })
    }

    fn read(&mut self, rows: usize) -> Result<(), String> {
        self.values.clear();
        let read = self.reader.read_records(rows, None, None, &mut self.values);
        whole(read.map_err(|error| error.to_string())?.0, rows)
    }

    fn get(&self, row: usize) -> Result<&T::T, String> {
        self.values.get(row).ok_or_else(|| SHORT.to_owned())
    }
}

impl Values<ByteArrayType> {
    fn text(&self, row: usize) -> Result<&str, String> {
        utf8(self.get(row)?)
    }
}

/// A column that has a value in some rows.
struct Optional<T: DataType> {
    reader: ColumnReaderImpl<T>,
    levels: Vec<i16>,
    values: Vec<T::T>,
    /// Of each row, the place of its value.
    places: Vec<Option<usize>>,
}

impl<T: DataType> Optional<T> {
    fn new(group: &dyn RowGroupReader, column: Column) -> Result<Self, String> {
        let reader = reader(group, column, T::get_physical_type(), true)?;
        Ok(Self { reader, levels: Vec::new(), values: Vec::new(), places: Vec::new() })
    }

    fn read(&mut self, rows: usize) -> Result<(), String> {
        self.levels.clear();
        self.values.clear();
        self.places.clear();
        let read = self.reader.read_records(rows, Some(&mut self.levels), None, &mut self.values);
        let (read, ..) = read.map_err(|error| error.to_string())?;
        let mut next = 0;
        self.places.extend(self.levels.iter().map(|level| {
            (*level > 0).then(|| {
                next += 1;
                next - 1
            })
        }));
        whole(read, rows)
    }

    fn get(&self, row: usize) -> Result<Option<&T::T>, String> {
        match self.places.get(row) {
            Some(Some(place)) => self.values.get(*place).map(Some).ok_or_else(|| SHORT.to_owned()),
            Some(None) => Ok(None),
            None => Err(SHORT.to_owned()),
        }
    }
}

const SHORT: &str = "a column has fewer values than the file has rows";

fn whole(read: usize, rows: usize) -> Result<(), String> {
    if read == rows { Ok(()) } else { Err(SHORT.to_owned()) }
}

fn utf8(value: &ByteArray) -> Result<&str, String> {
    std::str::from_utf8(value.data()).map_err(|error| format!("a text is not UTF-8: {error}"))
}

/// The reader of a column, if it is what files of the archive have there.
fn reader<T: DataType>(
    group: &dyn RowGroupReader,
    column: Column,
    kind: parquet::basic::Type,
    optional: bool,
) -> Result<ColumnReaderImpl<T>, String> {
    let place = column.place();
    let descriptor = group.metadata().schema_descr().column(place);
    let levels = (descriptor.max_def_level(), descriptor.max_rep_level());
    if descriptor.physical_type() != kind || levels != (i16::from(optional), 0) {
        return Err(format!(
            "column {} is not of the type that files of the archive have there",
            descriptor.name()
        ));
    }
    let reader = group.get_column_reader(place).map_err(|error| error.to_string())?;
    Ok(get_typed_column_reader(reader))
}
