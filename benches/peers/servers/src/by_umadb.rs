//! umadb over gRPC: an account is a tag, and an append has the condition that nothing with it came since.

use std::collections::HashMap;

use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem};

use crate::{Client, Failure};

pub(crate) struct Uma {
    client: AsyncUmaDbClient,
    /// Where the last event of each account is.
    last: HashMap<String, u64>,
}

impl Client for Uma {
    async fn connect(url: &str) -> Result<Self, Failure> {
        let client = UmaDbClient::new(url.to_owned()).connect_async().await?;
        Ok(Self { client, last: HashMap::new() })
    }

    async fn append(&mut self, account: &str, event: Vec<u8>) -> Result<(), Failure> {
        let theirs = DcbQuery::new().item(DcbQueryItem::new().tags([account]));
        let condition = DcbAppendCondition::new(theirs).after(self.last.get(account).copied());
        let event = DcbEvent::new().event_type("Deposited").tags([account]).data(event);
        let position = self.client.append(vec![event], Some(condition), None).await?;
        self.last.insert(account.to_owned(), position);
        Ok(())
    }
}
