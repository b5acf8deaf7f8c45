//! Fields that a row does not have under the name of the index.

extern crate self as headwater_projections;

use headwater::Projection;
use serde::Serialize;

// Stands in for the crate that the derive's code refers to.
pub trait Projection {
    const NAME: &'static str;
    const VERSION: u32;
    const SHARED: bool;
    const INDEXES: &'static [&'static str];
    fn sources() -> Vec<Source<Self>>
    where
        Self: Sized;
}

pub struct Source<P>(std::marker::PhantomData<P>);

struct Account;
struct Loan;

#[derive(Projection, Serialize)]
#[projection(name = "balances", from(Account), index(total, owner, opened_at))]
#[serde(rename_all = "camelCase")]
struct Balances {
    #[serde(skip)]
    total: u64,
    #[serde(rename = "name")]
    owner: String,
    opened_at: u64,
}

fn main() {}
