//! A stream of a test, and reading its shards.

use aws_sdk_kinesis::{
    Client,
    error::SdkError,
    operation::put_record::PutRecordError,
    primitives::{Blob, DateTime},
    types::{
        ChildShard, HashKeyRange, PutRecordsRequestEntry, Record, Shard, ShardIteratorType, StreamStatus,
    },
};

/// A stream that is ACTIVE.
#[derive(Debug, Clone)]
pub(crate) struct TestStream {
    pub(crate) client: Client,
    pub(crate) name: String,
}

/// What reading a shard found.
#[derive(Debug)]
pub(crate) struct Drained {
    pub(crate) records: Vec<Record>,
    /// Whether the shard has ended; otherwise it was read to the tip.
    pub(crate) ended: bool,
    pub(crate) children: Vec<ChildShard>,
}

impl TestStream {
    pub(crate) fn open(client: &Client, name: &str) -> std::future::Ready<Self> {
        std::future::ready(Self { client: client.clone(), name: name.to_owned() })
    }

    pub(crate) async fn create(client: &Client, name: &str, shards: i32) -> Self {
        client.create_stream().stream_name(name).shard_count(shards).send().await.unwrap();
        let stream = Self::open(client, name).await;
        stream.active().await;
        stream
    }

    pub(crate) async fn status(&self) -> StreamStatus {
        let summary = self.client.describe_stream_summary().stream_name(&self.name).send().await.unwrap();
        summary.stream_description_summary.unwrap().stream_status
    }

    /// Asks until it is ACTIVE.
    pub(crate) async fn active(&self) {
        while self.status().await != StreamStatus::Active {}
    }

    pub(crate) async fn arn(&self) -> String {
        let summary = self.client.describe_stream_summary().stream_name(&self.name).send().await.unwrap();
        summary.stream_description_summary.unwrap().stream_arn
    }

    pub(crate) async fn created(&self) -> DateTime {
        let summary = self.client.describe_stream_summary().stream_name(&self.name).send().await.unwrap();
        summary.stream_description_summary.unwrap().stream_creation_timestamp
    }

    pub(crate) async fn shards(&self) -> Vec<Shard> {
        self.client.list_shards().stream_name(&self.name).send().await.unwrap().shards.unwrap()
    }

    pub(crate) async fn first_shard(&self) -> String {
        self.shards().await[0].shard_id.clone()
    }

    pub(crate) async fn iterator(&self, shard: &str, kind: ShardIteratorType) -> String {
        let get = self.client.get_shard_iterator().stream_name(&self.name).shard_id(shard);
        get.shard_iterator_type(kind).send().await.unwrap().shard_iterator.unwrap()
    }

    /// Reads a shard from its beginning.
    pub(crate) async fn drain_shard(&self, shard: &str) -> Drained {
        self.drain(self.iterator(shard, ShardIteratorType::TrimHorizon).await).await
    }

    /// Reads to the tip or to the end of the shard.
    pub(crate) async fn drain(&self, iterator: String) -> Drained {
        let mut next = Some(iterator);
        let mut records = Vec::new();
        while let Some(iterator) = next {
            let answer = self.client.get_records().shard_iterator(iterator).send().await.unwrap();
            records.extend(answer.records);
            next = answer.next_shard_iterator;
            if next.is_none() {
                return Drained { records, ended: true, children: answer.child_shards.unwrap_or_default() };
            }
            if answer.millis_behind_latest == Some(0) {
                break;
            }
        }
        Drained { records, ended: false, children: Vec::new() }
    }

    /// The data of all records, shard after shard.
    pub(crate) async fn read_all(&self) -> Vec<String> {
        let mut all = Vec::new();
        for shard in self.shards().await {
            all.extend(texts(&self.drain_shard(&shard.shard_id).await.records));
        }
        all
    }
}

/// Puts a record; answers its shard and sequence number.
pub(crate) async fn put(stream: &TestStream, key: &str, text: &str) -> (String, String) {
    let put = put_bytes(stream, key, text.as_bytes().to_vec()).await;
    put.unwrap()
}

pub(crate) async fn put_bytes(
    stream: &TestStream,
    key: &str,
    data: Vec<u8>,
) -> Result<(String, String), SdkError<PutRecordError>> {
    let put = stream.client.put_record().stream_name(&stream.name).partition_key(key).data(Blob::new(data));
    put.send().await.map(|answer| (answer.shard_id, answer.sequence_number))
}

pub(crate) fn entry(key: &str, data: impl Into<Vec<u8>>) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry::builder().partition_key(key).data(Blob::new(data)).build().unwrap()
}

pub(crate) fn texts(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| String::from_utf8(record.data().as_ref().to_vec()).unwrap();
    records.iter().map(text).collect()
}

pub(crate) fn bounds(range: Option<&HashKeyRange>) -> (u128, u128) {
    let range = range.unwrap();
    (range.starting_hash_key().parse().unwrap(), range.ending_hash_key().parse().unwrap())
}
