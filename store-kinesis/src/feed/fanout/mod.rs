//! Enhanced fan-out: Kinesis pushes the records of each shard to a registered consumer.
//!
//! A reader sees the same as with polling. Each shard that is read has one subscription, held by a task of its own
//! that fills a bounded buffer; reading takes from the buffer. A subscription belongs to whoever reads at its front: a
//! second reader of the same shard at another position is served by polling.

mod buffer;
mod consumer;
mod fan_out;
mod subscription;

pub(super) use fan_out::FanOut;

/// Limits of enhanced fan-out.
pub mod limits {
    use std::time::Duration;

    /// How long subscribing may take; its answer comes with the first event.
    pub const SUBSCRIBE_DEADLINE: Duration = Duration::from_secs(10);
    /// The silence after which a subscription is dead. Kinesis sends an event every few seconds, also when there are
    /// no records.
    pub const SILENCE: Duration = Duration::from_secs(35);
    /// The pause between two tries to subscribe: AWS allows one a second for each shard, and refuses a second
    /// subscription for five seconds after a first. It does not grow, so that a shard is not left alone for longer than that.
    pub const RESUBSCRIBE_PAUSE: Duration = Duration::from_secs(1);
    /// Tries to subscribe in vain, one after the other, before readers are told. The trying goes on.
    pub const TRIES: u32 = 8;
    /// How long what Kinesis named to go on from is trusted after its last event; afterwards it is shown by the last
    /// record itself that nothing was lost.
    pub const CONTINUATION_LIFE: Duration = Duration::from_secs(15 * 60);
    /// How long after it was last read a shard is still subscribed to again. Another process may read it by now, and two
    /// that subscribe by turns hinder each other.
    pub const READ_LATELY: Duration = Duration::from_secs(3);
    /// Bytes in the buffer of a shard from which on nothing more is received. One event more, of about 2 MB, may be in it.
    pub const BUFFER_BYTES: usize = 2 * 1024 * 1024;
    /// How long a full buffer waits for a reader before it is thrown away, and with it the subscription.
    pub const UNREAD: Duration = Duration::from_secs(60);
    /// Most looks at a consumer that is not active yet.
    pub const CONSUMER_LOOKS: u32 = 200;
    /// The pause between two of those looks.
    pub const CONSUMER_PAUSE: Duration = Duration::from_millis(150);
}
