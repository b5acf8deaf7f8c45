//! The definition of the archive as a table of Athena.

/// The statement that makes a table of the archive, for Athena to run once. Its partitions are computed from the query
/// (partition projection), so nothing has to be crawled or added day by day. `since` is the first day of the archive,
/// `YYYY-MM-DD`.
#[must_use]
pub fn table(name: &str, bucket: &str, prefix: &str, since: &str) -> String {
    let slash = if prefix.is_empty() { "" } else { "/" };
    let location = format!("s3://{bucket}/{prefix}{slash}v1");
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `{name}` (
  `category` string,
  `id` string,
  `version` bigint,
  `type` string,
  `schema` bigint,
  `data` string,
  `data_bytes` binary,
  `metadata` string,
  `recorded_at` timestamp,
  `commit_id` string,
  `commit_index` int,
  `commit_events` int,
  `command_key` string,
  `command_fingerprint` bigint,
  `partition` string,
  `position` string,
  `redelivered` boolean
)
PARTITIONED BY (`dt` string)
STORED AS PARQUET
LOCATION '{location}/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '{since},NOW+1DAYS',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'storage.location.template' = '{location}/dt=${{dt}}/'
);
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::schema;

    #[test]
    fn the_table_has_the_columns_of_the_files_in_their_order() {
        let table = table("events", "bucket", "bank", "2026-01-01");
        let columns = table.lines().filter_map(|line| line.strip_prefix("  `")?.split_once('`'));
        let columns: Vec<_> = columns.map(|(name, _)| name.to_owned()).collect();
        let schema = schema();
        let fields: Vec<_> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
        assert_eq!(columns, fields);
        assert!(table.contains("LOCATION 's3://bucket/bank/v1/'"), "{table}");
        assert!(table.contains("'s3://bucket/bank/v1/dt=${dt}/'"), "{table}");
    }
}
