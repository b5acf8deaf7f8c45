//! A group at work: the rounds of a worker around any [`Work`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use headwater::{EventFeed, check_category};

use super::rounds::Rounds;
use super::work::Work;
use super::{Control, RunError};
use crate::DefinitionError;
use crate::directory::{Directory, Place};
use crate::group::LeaseStore;
use crate::group::limits::ROUND;

/// One worker of a group that does some [`Work`]: it shares the partitions of the feed with all others of the same name
/// on the same leases.
#[derive(Debug)]
pub struct Group {
    feed: Arc<dyn EventFeed>,
    leases: Arc<dyn LeaseStore>,
    name: Arc<str>,
    work: Arc<dyn Work>,
    control: Control,
}

impl Group {
    /// A worker of the group of this name.
    ///
    /// # Errors
    /// [`DefinitionError::Group`] for a name that is not lower-case letters, digits and hyphens.
    pub fn new(
        name: &str,
        feed: Arc<dyn EventFeed>,
        leases: Arc<dyn LeaseStore>,
        work: Arc<dyn Work>,
    ) -> Result<Self, DefinitionError> {
        let name = checked(name)?;
        let place = Place { store: Arc::clone(&leases), group: Arc::clone(&name) };
        let control = Control::new(Arc::new(Directory::new(place)));
        Ok(Self { feed, leases, name, work, control })
    }

    /// The handle to see how the group is doing; take it before running.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Runs until `shutdown` is ready, as [`Runner::run`](crate::Runner::run) does.
    ///
    /// # Errors
    /// [`RunError::Panicked`]. Stores that cannot be reached are tried again and are no error.
    ///
    /// # Cancel safety
    /// Dropping the future ends all tasks at once, as a kill of the process would; the leases have to expire.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        let shutdown = std::pin::pin!(shutdown);
        let mine = Arc::new(AtomicBool::new(false));
        let rounds = Rounds::new(None, self.feed, self.leases, self.name, self.work, self.control, mine);
        run(rounds, shutdown).await
    }
}

/// A name that a group may have.
pub(super) fn checked(name: &str) -> Result<Arc<str>, DefinitionError> {
    if check_category(name).is_err() {
        return Err(DefinitionError::Group { name: name.to_owned() });
    }
    Ok(name.into())
}

/// Goes round until `shutdown` is ready, then releases every lease.
pub(super) async fn run(
    mut rounds: Rounds,
    mut shutdown: Pin<&mut (impl Future<Output = ()> + Send)>,
) -> Result<(), RunError> {
    let mut outcome = Ok(());
    while outcome.is_ok() {
        rounds.round().await;
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            ended = rounds.ended() => outcome = ended,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
    outcome.and(rounds.leave().await)
}
