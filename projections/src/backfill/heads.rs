//! The streams of a projection and their last versions, counted in one pass over the ledger.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use headwater::StreamName;

use super::lanes::{Fold, Scratch};
use super::target::Context;
use super::{BackfillError, HistoryEvent};

/// The last version of each stream.
#[derive(Debug)]
pub(super) struct Heads {
    categories: Vec<&'static str>,
    heads: Mutex<HashMap<StreamName, u64>>,
}

impl Heads {
    /// Those of some categories, as the ledger has them.
    pub(super) async fn of(
        context: &Context,
        categories: Vec<&'static str>,
    ) -> Result<HashMap<StreamName, u64>, BackfillError> {
        let heads = Arc::new(Self { categories, heads: Mutex::default() });
        context.pass(&(Arc::clone(&heads) as Arc<dyn Fold>)).await?;
        let mut heads = heads.heads.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *heads))
    }
}

impl Fold for Heads {
    fn see(&self, event: &HistoryEvent<'_>, _: &mut Scratch) -> ControlFlow<()> {
        if self.categories.contains(&event.category)
            && let Ok(stream) = StreamName::new(event.category, event.id)
        {
            let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
            let head = heads.entry(stream).or_default();
            *head = event.version.0.max(*head);
        }
        ControlFlow::Continue(())
    }
}
