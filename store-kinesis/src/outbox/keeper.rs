//! Saving the marks of this process, as long as there is something to save.

use std::sync::{Arc, Mutex, MutexGuard};

use headwater_aws::Failure;
use tokio::time::Instant;

use super::book::{Book, Saved};
use super::lanes::Lanes;
use super::limits::{CONFIRMED_FOR, IDLE_AFTER};

/// A registered writer: one life of this process.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) lanes: Arc<Lanes>,
    kept: tokio::sync::Mutex<Kept>,
    /// When the record was this writer's for the last time, as far as it knows.
    confirmed: Mutex<Instant>,
}

#[derive(Debug)]
struct Kept {
    counter: u64,
    /// Numbers given out when it last was seen at work, and since when nothing has happened.
    given: usize,
    quiet_since: Instant,
}

/// What became of a writer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Lives,
    /// It gives out no more numbers: it had nothing to do, or another process took it for dead.
    Ended,
}

impl Life {
    /// A writer that was registered just now.
    pub(super) fn new(id: String) -> Self {
        let now = Instant::now();
        let kept = Kept { counter: 1, given: 0, quiet_since: now };
        let kept = tokio::sync::Mutex::new(kept);
        Self { lanes: Arc::new(Lanes::new(id)), kept, confirmed: Mutex::new(now) }
    }

    /// Looks at the record, if that was not done for [`CONFIRMED_FOR`]: a writer that slept may be off the books, and what
    /// it writes then is found by nobody if it dies. One that is gives out no more numbers.
    ///
    /// # Cost
    /// Nothing as long as marks are saved every second, else 1 UpdateItem.
    pub(super) async fn confirm(&self, book: &Book) -> Result<(), Failure> {
        if self.is_confirmed() {
            return Ok(());
        }
        let mut kept = self.kept.lock().await;
        // Of all that wait here the first has done it.
        if !self.is_confirmed() {
            self.save_kept(&mut kept, book).await?;
        }
        Ok(())
    }

    /// Saves the marks; ends the writer when it has had nothing to do for [`IDLE_AFTER`].
    pub(super) async fn save(&self, book: &Book) -> Result<Fate, Failure> {
        let mut kept = self.kept.lock().await;
        self.save_kept(&mut kept, book).await
    }

    async fn save_kept(&self, kept: &mut Kept, book: &Book) -> Result<Fate, Failure> {
        let now = Instant::now();
        let (given, open) = self.lanes.counts();
        if given != kept.given || open > 0 {
            (kept.given, kept.quiet_since) = (given, now);
        }
        if kept.quiet_since.elapsed() >= IDLE_AFTER && self.lanes.close_if_done() {
            book.remove(self.lanes.id(), kept.counter).await?;
            return Ok(Fate::Ended);
        }
        match book.save(self.lanes.id(), kept.counter, &self.lanes.marks()).await? {
            Saved::Yes(counter) => {
                kept.counter = counter;
                *self.confirmed() = now;
                Ok(Fate::Lives)
            }
            Saved::TakenOver => {
                tracing::warn!(writer = self.lanes.id(), "this writer was taken for dead and starts anew");
                self.lanes.close();
                Ok(Fate::Ended)
            }
        }
    }

    /// Removes the record if everything is published; otherwise another process publishes the rest.
    pub(super) async fn end(&self, book: &Book) -> Result<(), Failure> {
        let kept = self.kept.lock().await;
        match self.lanes.close_if_done() {
            true => book.remove(self.lanes.id(), kept.counter).await,
            false => book.save(self.lanes.id(), kept.counter, &self.lanes.marks()).await.map(|_| ()),
        }
    }

    fn is_confirmed(&self) -> bool {
        self.confirmed().elapsed() < CONFIRMED_FOR
    }

    fn confirmed(&self) -> MutexGuard<'_, Instant> {
        self.confirmed.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use headwater_aws::control;
    use headwater_local::{Local, Options};

    use super::super::limits::LANES;
    use super::*;

    async fn book() -> (Local, Book) {
        let local = Local::start(Options::default()).await.unwrap();
        let client = headwater_aws::testing::dynamodb(local.dynamodb_url());
        control::table("keeper").apply(&client).await.unwrap();
        (local, Book::new(client, "keeper"))
    }

    async fn life(book: &Book, id: &str) -> Life {
        assert!(book.register(id, LANES).await.unwrap());
        Life::new(id.to_owned())
    }

    #[tokio::test]
    async fn a_writer_with_nothing_to_do_is_taken_off_the_books() {
        let (_local, book) = book().await;
        let life = life(&book, "idle").await;
        let number = life.lanes.open().unwrap();
        assert_eq!(life.save(&book).await.unwrap(), Fate::Lives);
        life.kept.lock().await.quiet_since -= IDLE_AFTER;
        assert_eq!(life.save(&book).await.unwrap(), Fate::Lives, "a number is open");
        life.lanes.finish(&number);
        assert_eq!(life.save(&book).await.unwrap(), Fate::Lives, "it was at work a moment ago");
        life.kept.lock().await.quiet_since -= IDLE_AFTER;
        assert_eq!(life.save(&book).await.unwrap(), Fate::Ended);
        assert_eq!(book.writers().await.unwrap(), []);
        assert_eq!(life.lanes.open(), None);
    }

    #[tokio::test]
    async fn a_writer_that_was_taken_for_dead_gives_out_no_more() {
        let (_local, book) = book().await;
        let life = life(&book, "slow").await;
        assert_eq!(life.save(&book).await.unwrap(), Fate::Lives);
        let record = book.writers().await.unwrap().remove(0);
        assert_eq!((record.counter, record.marks.len()), (2, LANES));
        let claimed = book.claim(&record).await.unwrap().unwrap();
        assert_eq!((claimed.counter, claimed.passes), (3, 1));
        assert_eq!(book.claim(&record).await.unwrap(), None, "one process makes the pass");
        assert_eq!(life.save(&book).await.unwrap(), Fate::Ended);
        assert_eq!(life.lanes.open(), None);
        life.end(&book).await.unwrap();
        assert_eq!(
            book.writers().await.unwrap(),
            std::slice::from_ref(&claimed),
            "the record stays with whoever claimed it"
        );
        book.remove(&claimed.writer, claimed.counter).await.unwrap();
        assert_eq!(book.writers().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_writer_that_slept_for_long_looks_at_its_record_before_it_gives_out_a_number() {
        let (_local, book) = book().await;
        let life = life(&book, "sleeper").await;
        life.confirm(&book).await.unwrap();
        assert_eq!(book.writers().await.unwrap()[0].counter, 1, "there is no need to look");
        *life.confirmed() -= CONFIRMED_FOR;
        life.confirm(&book).await.unwrap();
        assert_eq!(book.writers().await.unwrap()[0].counter, 2);
        assert!(life.lanes.open().is_some(), "it is its own");
        *life.confirmed() -= CONFIRMED_FOR;
        let record = book.writers().await.unwrap().remove(0);
        let claimed = book.claim(&record).await.unwrap().unwrap();
        book.remove(&claimed.writer, claimed.counter).await.unwrap();
        life.confirm(&book).await.unwrap();
        assert_eq!(life.lanes.open(), None, "others have taken it off the books");
    }

    #[tokio::test]
    async fn a_saved_mark_whose_answer_was_lost_is_no_takeover() {
        let (_local, book) = book().await;
        let life = life(&book, "lost").await;
        assert_eq!(book.save("lost", 1, &[0; LANES]).await.unwrap(), Saved::Yes(2));
        assert_eq!(life.save(&book).await.unwrap(), Fate::Lives);
        assert_eq!(life.save(&book).await.unwrap(), Fate::Lives);
        assert_eq!(book.writers().await.unwrap().remove(0).counter, 3);
    }
}
