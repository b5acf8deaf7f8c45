//! A transfer between two accounts of the bank: a withdrawal and a deposit, together or not at all.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use headwater::{Batch, Id};
use headwater_server::{JsonBody, Problem, Services, batch_response, options_from};
use serde::Deserialize;

use crate::account::{Account, AccountCommand, Day, Details, Partner};
use crate::money::Amount;

/// What a client sends to `POST /v1/transfers`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The account that pays.
    pub from: String,
    /// The account that is paid.
    pub to: String,
    /// How much.
    pub amount: Amount,
    /// What it is for.
    #[serde(default)]
    pub purpose: Option<String>,
    /// The day it is booked on.
    #[serde(default)]
    pub booked_on: Option<Day>,
}

impl Transfer {
    /// The two commands a transfer is made of.
    ///
    /// # Errors
    /// [`headwater::NameError`] when an account's id is not valid.
    pub fn batch(self) -> Result<Batch, headwater::NameError> {
        let (from, to) = (Id::<Account>::new(&self.from)?, Id::<Account>::new(&self.to)?);
        let details = |partner: &str| Details {
            purpose: self.purpose.clone(),
            operation: Some("transfer".to_owned()),
            partner: Some(Partner { bank: None, account: partner.to_owned() }),
            booked_on: self.booked_on,
        };
        let withdraw = AccountCommand::Withdraw { amount: self.amount, details: details(&self.to) };
        let deposit = AccountCommand::Deposit { amount: self.amount, details: details(&self.from) };
        Ok(Batch::new().command(&from, withdraw).command(&to, deposit))
    }
}

/// `POST /v1/transfers`: the route of the bank's own, beside the built-in ones.
///
/// # Errors
/// [`Problem`], as the built-in command route answers.
pub async fn post(
    State(services): State<Services>,
    headers: HeaderMap,
    JsonBody(transfer): JsonBody<Transfer>,
) -> Result<Response, Problem> {
    let options = options_from(&headers)?;
    let executed = services.executor.execute_all(transfer.batch()?, &options).await?;
    Ok(batch_response(&executed))
}
