//! The real ledger, outbox and publisher on virtual time, in a world made from a seed: several processes, each a whole
//! store on a clock of its own, over a DynamoDB and a Kinesis that are a few hundred lines below the SDK's HTTP client.
//!
//! - `world.rs`: processes in turns that the seed decides; `process.rs`: one of them,
//! - `clients.rs`: what clients ask and what they were answered,
//! - `line.rs`: the HTTP client of a process, with everything that happens to requests,
//! - `aws.rs`: what all processes share; `table.rs`, `conditions.rs`: the tables; `stream.rs`: the stream of the feed,
//! - `check.rs`: the laws, at every write where it arrives, and in the end,
//! - `tests.rs`: the seeds.

mod aws;
mod check;
mod clients;
mod conditions;
mod line;
mod process;
mod stream;
mod table;
mod tests;
mod world;
