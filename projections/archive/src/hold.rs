//! How much all open files of a process hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is held by all, and how much that may be.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    bytes: Arc<AtomicUsize>,
    limit: usize,
}

/// What one file holds. It gives that back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Hold,
    bytes: usize,
}

impl Hold {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Arc::default(), limit }
    }

    pub(crate) fn share(&self) -> Share {
        Share { of: self.clone(), bytes: 0 }
    }

    /// What is held now.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Share {
    /// From now on it holds so much.
    pub(crate) fn set(&mut self, bytes: usize) {
        self.of.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.of.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// Whether all together hold more than they may: whoever notices makes room.
    pub(crate) fn is_over(&self) -> bool {
        self.of.bytes() > self.of.limit
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_holds_counts_until_it_is_dropped() {
        let hold = Hold::new(10);
        let (mut one, mut two) = (hold.share(), hold.share());
        one.set(6);
        assert!(!one.is_over());
        two.set(5);
        assert!(one.is_over() && two.is_over());
        one.set(2);
        assert_eq!((hold.bytes(), one.is_over()), (7, false));
        drop(one);
        drop(two);
        assert_eq!(hold.bytes(), 0);
    }
}
