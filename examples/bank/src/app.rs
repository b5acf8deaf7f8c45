//! The bank as a service: its aggregate, its read models, its own route and command.

use axum::routing::post;
use headwater_server::App;

use crate::account::Account;
use crate::{commands, read_models, transfer};

/// The bank as a service.
#[must_use]
pub fn app() -> App {
    App::new("bank")
        .aggregate::<Account>()
        .projection::<read_models::Balances>()
        .projection::<read_models::DailyTotals>()
        .projection::<read_models::LargestWithdrawals>()
        .reactor(crate::wires::Wires)
        .routes(axum::Router::new().route("/v1/transfers", post(transfer::post)))
        .command(commands::convert(), commands::run_convert)
        .hint("curl -i {url}/v1/streams/account/ada/commands/open -d '{\"owner\": \"ada\", \"overdraft_limit\": 0}' -H 'content-type: application/json'")
        .hint("curl -i {url}/v1/streams/account/ada/commands/deposit -d '{\"amount\": 12300}' -H 'content-type: application/json'")
        .hint("curl {url}/v1/streams/account/ada/state")
        .hint("curl {url}/v1/streams/account/ada/events")
        .hint("curl {url}/v1/read-models/balances/ada")
        .hint("{bin} convert examples/bank/data/bank-transactions.csv.gz > bank.ndjson && {bin} import bank.ndjson --server {url}")
}
