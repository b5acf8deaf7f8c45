//! Making, knowing and dropping the table of a generation.
//!
//! What is indexed is told by the table, not by who asks: every process that writes rows keeps the same indexes, also
//! one that was started with fewer. The shape of a table never changes, so it is read once.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_table::DeleteTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use headwater_aws::tables::{Difference, Index, Key, Table, limits as patience};
use headwater_projections::rows::{Generation, RowError};

use super::error::{of, read_error};
use super::layout::{KEY, PARKED_BUCKET, PARKED_INDEX, PARTITION};
use super::limits;
use super::store::DynamoRows;

/// What the names of the indexes of fields begin with.
const BY: &str = "by.";

/// A table as it was made.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) table: String,
    pub(super) indexes: Vec<Indexed>,
}

/// An index of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Indexed {
    pub(super) field: String,
    /// The index.
    pub(super) name: String,
    /// The attribute with the bucket of the value; only rows in the index have it.
    pub(super) bucket: String,
    /// The attribute with the entry.
    pub(super) entry: String,
}

impl Indexed {
    fn of(field: &str) -> Result<Self, RowError> {
        let name = format!("{BY}{}", escaped(field));
        if field.is_empty() || name.len() > limits::INDEX_NAME_BYTES || field.len() > limits::INDEX_NAME_BYTES
        {
            let reason = format!("field {field:?} cannot be an index: give it a shorter name");
            return Err(RowError::Invalid { reason });
        }
        Ok(Self { field: field.to_owned(), name, bucket: format!("#b{field}"), entry: format!("#i{field}") })
    }
}

impl Shape {
    /// The index of a field.
    pub(super) fn index(&self, generation: &Generation, field: &str) -> Result<&Indexed, RowError> {
        self.indexes.iter().find(|index| index.field == field).ok_or_else(|| {
            let known: Vec<&str> = self.indexes.iter().map(|index| index.field.as_str()).collect();
            RowError::unknown_index(generation, field, &known)
        })
    }
}

impl DynamoRows {
    pub(super) async fn make(&self, generation: &Generation, fields: &[&str]) -> Result<(), RowError> {
        if fields.len() > limits::INDEXES {
            let (count, limit) = (fields.len(), limits::INDEXES);
            let reason =
                format!("{generation} declares {count} indexes, {limit} is the limit: declare fewer");
            return Err(RowError::Invalid { reason });
        }
        let indexes: Vec<Indexed> =
            fields.iter().map(|field| Indexed::of(field)).collect::<Result<_, _>>()?;
        let table = self.table(generation, &indexes);
        let differences = table.check(&self.client).await.map_err(of)?;
        let missing = differences.iter().find_map(|difference| match difference {
            Difference::MissingIndex { index, .. } => indexes.iter().find(|wanted| wanted.name == *index),
            _ => None,
        });
        if let Some(index) = missing {
            return Err(RowError::missing_index(generation, &index.field));
        }
        if !differences.is_empty() {
            table.apply(&self.client).await.map_err(of)?;
        }
        self.known().remove(generation);
        self.shape(generation).await.map(drop)
    }

    /// The shape of a generation's table.
    pub(super) async fn shape(&self, generation: &Generation) -> Result<Arc<Shape>, RowError> {
        let known = self.known().get(generation).map(Arc::clone);
        if let Some(shape) = known {
            return Ok(shape);
        }
        let table = self.config.table(generation);
        let answer = self.client.describe_table().table_name(&table).send().await;
        let attempted = || format!("look at the table of {generation}");
        let answer = answer.map_err(|error| read_error(error, attempted(), &table))?;
        let made = answer.table.and_then(|table| table.global_secondary_indexes).unwrap_or_default();
        let names = made.iter().filter_map(|index| index.index_name());
        let fields = names.filter_map(|name| unescaped(name.strip_prefix(BY)?));
        let indexes = fields.map(|field| Indexed::of(&field)).collect::<Result<_, _>>()?;
        let shape = Arc::new(Shape { table, indexes });
        let mut known = self.known();
        if known.len() >= limits::SHAPES {
            known.clear();
        }
        known.insert(generation.clone(), Arc::clone(&shape));
        Ok(shape)
    }

    pub(super) async fn drop_table(&self, generation: &Generation) -> Result<(), RowError> {
        self.known().remove(generation);
        let table = self.config.table(generation);
        let attempted = || format!("drop the table of {generation}");
        for _ in 0..patience::LOOKS {
            match self.client.delete_table().table_name(&table).send().await {
                // It is there until it is not.
                Ok(_) => {}
                Err(SdkError::ServiceError(error)) => match error.err() {
                    DeleteTableError::ResourceNotFoundException(_) => return Ok(()),
                    DeleteTableError::ResourceInUseException(_) => {}
                    _ => return Err(read_error(SdkError::ServiceError(error), attempted(), &table)),
                },
                Err(error) => return Err(read_error(error, attempted(), &table)),
            }
            if self.is_gone(&table).await? {
                return Ok(());
            }
            futures_timer::Delay::new(patience::PAUSE).await;
        }
        let source = "it is still there".into();
        Err(RowError::Unavailable { attempted: attempted(), source })
    }

    async fn is_gone(&self, table: &str) -> Result<bool, RowError> {
        match self.client.describe_table().table_name(table).send().await {
            Ok(_) => Ok(false),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), DescribeTableError::ResourceNotFoundException(_)) =>
            {
                Ok(true)
            }
            Err(error) => Err(read_error(error, format!("look at table {table}"), table)),
        }
    }

    fn table(&self, generation: &Generation, indexes: &[Indexed]) -> Table {
        let table =
            Table::new(self.config.table(generation), "the rows of a projection", Key::text(PARTITION));
        let parked = Index::keys_only(PARKED_INDEX, Key::text(PARKED_BUCKET)).sort(Key::text(KEY));
        let table = table.sort(Key::text(KEY)).index(parked);
        indexes.iter().fold(table, |table, index| {
            let by = Index::keys_only(&index.name, Key::text(&index.bucket));
            table.index(by.sort(Key::binary(&index.entry)))
        })
    }

    /// No code of others runs under this lock, so a poisoned one still holds whole data.
    fn known(&self) -> MutexGuard<'_, HashMap<Generation, Arc<Shape>>> {
        self.shapes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A field's name in letters that an index may have: every other byte becomes a dot and two hexadecimal digits.
fn escaped(field: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    field.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!(".{b:02x}") }).collect()
}

fn unescaped(name: &str) -> Option<String> {
    let mut parts = name.split('.');
    let mut field = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        field.push(u8::from_str_radix(digits, 16).ok()?);
        field.extend(rest.as_bytes());
    }
    String::from_utf8(field).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_index_tells_its_field() {
        for field in ["balance", "balance_cents", "a-b", "a.b", "ключ", "#p", " ", "2", "a.2e"] {
            let name = escaped(field);
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)), "{name}");
            assert_eq!(unescaped(&name).as_deref(), Some(field));
        }
    }

    #[test]
    fn a_field_without_a_name_or_with_a_long_one_cannot_be_an_index() {
        for field in [String::new(), "x".repeat(limits::INDEX_NAME_BYTES), "ü".repeat(50)] {
            assert!(Indexed::of(&field).is_err(), "{field}");
        }
    }
}
