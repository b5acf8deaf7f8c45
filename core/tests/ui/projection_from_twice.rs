//! One aggregate twice.

extern crate self as headwater_projections;

use headwater::Projection;

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

#[derive(Projection)]
#[projection(name = "balances", from(Account, Account), shared)]
struct Balances {
    total: u64,
    owner: String,
}

fn main() {}
