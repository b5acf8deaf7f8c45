//! The real ledger, outbox and publisher on virtual time, in a world made from a seed: several processes, each a whole
//! store on a clock of its own, over a DynamoDB and a Kinesis that are a few hundred lines below the SDK's HTTP client.
//!
//! - `world.rs`: processes in turns that the seed decides; `process.rs`: one of them,
//! - `orders.rs`: what clients want to be written, `clients.rs`: how they ask and what they were answered,
//! - `purse.rs`: an aggregate, `errands.rs`: clients that have commands carried out on it, `answers.rs`: whether what they
//!   were answered is so, `purses.rs`: what the ledger has of it,
//! - `tries.rs`: what an answer says about all tries of the same thing,
//! - `line.rs`: the HTTP client of a process, with everything that happens to requests,
//! - `aws.rs`: what all processes share; `table.rs`, `conditions.rs`: the tables; `stream.rs`: the stream of the feed;
//!   `items.rs`: what is in an item of the ledger,
//! - `check.rs`: the laws, at every write where it arrives, and in the end,
//! - `tests.rs`: the seeds.

mod answers;
mod aws;
mod check;
mod clients;
mod conditions;
mod errands;
mod items;
mod line;
mod orders;
mod process;
mod purse;
mod purses;
mod stream;
mod table;
mod tests;
mod tries;
mod world;
