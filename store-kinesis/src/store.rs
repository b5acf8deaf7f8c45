//! The store: the operations of the traits, each in a few lines.

use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::{
    Append, Appended, Capabilities, Invalid, Page, Read, Scan, ScanPage, StoreError, Transaction,
};
use headwater::{EventStore, StreamName};

use crate::feed::KinesisFeed;
use crate::feed::nudges::Nudges;
use crate::ledger::{Cursor, Fault, Ledger};
use crate::outbox::{Book, Outbox, Ticket};
use crate::publisher::{Publisher, PublisherState};
use crate::{Config, publisher, record};

/// The clients of AWS that a store talks through. Endpoint, region, credentials and HTTP are theirs; retries and
/// timeouts come from the [`Config`].
#[derive(Debug, Clone)]
pub struct Clients {
    /// For the ledger and the books.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// For the feed.
    pub kinesis: aws_sdk_kinesis::Client,
}

/// The store on AWS: commits are decided in DynamoDB and distributed through Kinesis.
///
/// Tables and stream must exist: [`infra::apply`](crate::infra::apply) makes them.
///
/// # Delivery
/// Every commit reaches the feed at least once, also when this process dies right after it was acknowledged: another
/// process, or the next start of this one, publishes what is left.
///
/// # Cancel safety
/// When the future of an append is dropped, the commit was written whole or not at all; if it was, it is published.
///
/// # Cost
/// An append that expects a version this process knows: 1 PutItem. One that does not: 1 Query before it. A lost race: 1
/// PutItem, and the winner's commit comes with its refusal. A page: 1 Query. While there are commits, 1 UpdateItem a
/// second to save the marks of the outbox, and half a read unit every 2.5 seconds to look after other writers.
#[derive(Debug)]
pub struct KinesisStore {
    ledger: Ledger,
    outbox: Outbox,
    publisher: Publisher,
    feed: Arc<KinesisFeed>,
}

impl KinesisStore {
    /// Opens a store; its tasks run on the current tokio runtime. Sends nothing that has to be waited for.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn open(clients: &Clients, config: &Config) -> Self {
        let ledger = Ledger::new(&clients.dynamodb, config);
        let nudges = Arc::new(Nudges::default());
        let publisher = Publisher::start(
            config.publishing.kinesis(&clients.kinesis),
            config.stream(),
            config.queue_commits,
            config.queue_bytes,
            Arc::clone(&nudges),
        );
        let book = Book::new(config.bookkeeping.dynamodb(&clients.dynamodb), &config.prefix);
        let outbox = Outbox::start(book, ledger.table.clone(), publisher.clone(), config.takeover_after);
        let feed = Arc::new(KinesisFeed::new(&clients.kinesis, config, nudges));
        Self { ledger, outbox, publisher, feed }
    }

    /// The feed of this store.
    #[must_use]
    pub fn feed(&self) -> Arc<KinesisFeed> {
        Arc::clone(&self.feed)
    }

    /// How publishing goes.
    #[must_use]
    pub fn publisher(&self) -> PublisherState {
        self.publisher.state()
    }

    /// Takes no more commits, publishes those there are, and takes this process off the books. Says whether everything
    /// was published within [`outbox::limits::STOP_WITHIN`](crate::outbox::limits::STOP_WITHIN); the rest is published
    /// by another process or by the next start.
    pub async fn close(&self) -> bool {
        self.outbox.stop().await
    }

    /// A ticket for an append that is within the limits.
    async fn ticket(&self, append: &Append) -> Result<Ticket, StoreError> {
        let (bytes, limit) = (record::bound_bytes(append), publisher::limits::RECORD_BYTES);
        if bytes > limit {
            return Err(Invalid::CommitBytes { bytes, limit }.into());
        }
        self.outbox.ticket(bytes).await
    }
}

#[async_trait]
impl EventStore for KinesisStore {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new("kinesis");
        capabilities.durable = true;
        capabilities.stale_reads = true;
        capabilities.page_commits = self.ledger.page_commits;
        capabilities
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check(&self.capabilities())?;
        let mut ticket = self.ticket(&append).await?;
        let appended = self.ledger.append_one(append, &mut ticket).await;
        settle(vec![ticket], appended.as_ref().map(std::slice::from_ref));
        Ok(appended?)
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        transaction.check(&self.capabilities())?;
        let mut tickets = Vec::with_capacity(transaction.appends.len());
        for append in &transaction.appends {
            tickets.push(self.ticket(append).await?);
        }
        let appended = self.ledger.append_together(&transaction, &mut tickets).await;
        settle(tickets, appended.as_deref());
        Ok(appended?)
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        Ok(self.ledger.page(stream, &read).await?)
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        scan.check()?;
        let cursor = Cursor::parse(&scan)?;
        Ok(self.ledger.scan(&scan, cursor).await?)
    }
}

/// Says of each ticket what became of its commit. One that an earlier try has stored is published, too: that try may
/// have been one whose answer the SDK lost a moment ago.
fn settle(tickets: Vec<Ticket>, outcome: Result<&[Appended], &Fault>) {
    match outcome {
        Ok(appended) => {
            for (ticket, appended) in tickets.into_iter().zip(appended) {
                ticket.stored(Arc::clone(&appended.commit));
            }
        }
        // Dropped, they say that it is not known.
        Err(Fault::Unknown { .. }) => drop(tickets),
        Err(_) => tickets.into_iter().for_each(Ticket::not_written),
    }
}
