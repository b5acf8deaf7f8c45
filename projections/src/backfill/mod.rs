//! Backfill: the rows of a projection built anew from history, beside those that are live.
//!
//! - `source.rs`: the seam to sources of history, `ledger.rs`: the ledger as one,
//! - `job.rs`: a backfill from its beginning to the switch; `work.rs`: slots shared out among processes, `slot.rs`,
//! - `lanes.rs`: reading history into a fold; `own.rs` and `shared.rs`: the folds; `fill_own.rs` and `fill_shared.rs`:
//!   filling a slot with them; `write.rs`: each row once,
//! - `refold.rs` and `compare.rs`: rows compared with a fold of their own,
//! - `inspection.rs`: live rows compared at any time and put right, `inspect_own.rs` and `inspect_shared.rs`; `heads.rs`,
//! - `switch.rs`: which generation is live, and going back,
//! - `operation.rs` and `operations.rs`: backfills as operations that everybody sees; `watched.rs`: whether they show life;
//!   `carry_out.rs`: carrying one out,
//! - `pace.rs`: budgets, and yielding to live traffic; `progress.rs`: what is shown.

mod carry_out;
mod compare;
mod error;
mod fill_own;
mod fill_shared;
mod heads;
mod inspect_own;
mod inspect_shared;
mod inspection;
mod job;
mod lanes;
mod ledger;
pub mod limits;
mod operation;
mod operations;
mod own;
mod pace;
mod progress;
mod refold;
mod shared;
mod slot;
mod source;
mod switch;
mod target;
mod watched;
mod work;
mod write;

pub use compare::{Difference, FieldDifference, Verify};
pub use error::BackfillError;
pub use inspection::{Inspection, Repaired, Verdict, Verified};
pub use job::{Backfill, Built, Options};
pub use ledger::LedgerHistory;
pub use operation::{EventSource, Operation, OperationState, Promotion, Report, Wish};
pub use operations::{AskedFor, OperationError, Operations};
pub use pace::{Budget, NotABudget, Pace};
pub use progress::{Phase, Progress, Snapshot};
pub use slot::Slot;
pub use source::{Damage, History, HistoryError, HistoryEvent, Lane, Mark, Part, Survey, Visit};
pub use switch::{Level, Switch, SwitchError};
pub use target::Target;
