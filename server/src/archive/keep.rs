//! Read models and archive are kept side by side, by the same processes.

use std::future::Future;

use headwater_projections::{Group, RunError, Runner};

/// Runs both until they are told to end. When one of them ends by itself, so does the other.
///
/// # Errors
/// As [`Runner::run`].
pub(crate) async fn keep<F>(
    runner: Runner,
    archive: Option<Group>,
    stop: impl Fn() -> F,
) -> Result<(), RunError>
where
    F: Future<Output = ()> + Send,
{
    let archiving = async {
        match archive {
            Some(archive) => archive.run(stop()).await,
            None => Ok(()),
        }
    };
    tokio::try_join!(runner.run(stop()), archiving)?;
    Ok(())
}
