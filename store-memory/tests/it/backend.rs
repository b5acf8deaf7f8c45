//! Backends for the suite: the memory store, plain or behind a decorator that breaks it.

use std::sync::Arc;

use async_trait::async_trait;
use headwater::testing::conformance::{Backend, Opened, Pages, Scale};
use headwater_store_memory::MemoryStore;

/// The memory store, changed by a function before the suite sees it.
pub(crate) struct Changed {
    change: fn(MemoryStore) -> Opened,
    scale: Scale,
}

/// The memory store as it is.
pub(crate) fn memory() -> Changed {
    Changed { change: plain, scale: Scale::default() }
}

/// A store that is expected to fail: less is asked of it, and it is given up sooner.
pub(crate) fn broken(change: fn(MemoryStore) -> Opened) -> Arc<dyn Backend> {
    let mut scale = Scale::default();
    scale.big_stream_events = 5_000;
    scale.rounds = 5;
    scale.patience = std::time::Duration::from_secs(2);
    Arc::new(Changed { change, scale })
}

fn plain(store: MemoryStore) -> Opened {
    Opened { store: Arc::new(store.clone()), feed: Arc::new(store) }
}

#[async_trait]
impl Backend for Changed {
    async fn open(&self, pages: Pages) -> Opened {
        (self.change)(match pages {
            Pages::Default => MemoryStore::new(),
            Pages::Tiny => MemoryStore::with_page(2),
        })
    }

    fn scale(&self) -> Scale {
        self.scale
    }
}
