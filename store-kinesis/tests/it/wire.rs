//! What lies between the SDK and DynamoDB in the tests: it writes down every request and its price, and on demand it
//! loses answers or gives others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, HttpClient, Intercept, RuntimeComponents, SharedHttpClient};
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use headwater_store_kinesis::{Config, Ledger};

use crate::dynamodb::{client_config, fresh};

/// What happens to one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mishap {
    /// None.
    Nothing,
    /// It is carried out and its answer is lost.
    LostAnswer,
    /// It is not carried out and nothing is ever answered.
    Silence,
    /// It is not carried out; the answer has this status, type and the rest of a JSON object.
    Answer(u16, &'static str, &'static str),
}

/// A wire that writes down what passes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<String>,
    units: f64,
    mishaps: VecDeque<Mishap>,
    /// One of so many requests has a mishap of these; none when there are none.
    storm: (usize, Vec<Mishap>),
}

impl State {
    fn next(&mut self) -> Option<Mishap> {
        let (rarity, storm) = &self.storm;
        let struck = !storm.is_empty() && fastrand::usize(..*rarity) == 0;
        self.mishaps.pop_front().or_else(|| struck.then(|| storm[fastrand::usize(..storm.len())]))
    }
}

impl Wire {
    /// A ledger behind a new wire, on a table of its own.
    pub(crate) async fn ledger() -> (Self, Ledger, Config) {
        let mut config = fresh().await;
        config.report_capacity = true;
        // Tests that fail on purpose may not use up the retries of others.
        config.settings.budget = config.prefix.clone().into();
        let wire = Self::default();
        let ledger = wire.open(&config);
        (wire, ledger, config)
    }

    /// A ledger behind this wire.
    pub(crate) fn open(&self, config: &Config) -> Ledger {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let tapped = Tapped { http, wire: self.clone() };
        let client = client_config().http_client(tapped).interceptor(self.clone()).build();
        Ledger::new(&Client::from_conf(client), config)
    }

    /// What happens to the next requests.
    pub(crate) fn will(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.state.lock().unwrap().mishaps.extend(mishaps);
    }

    /// From now on one of so many requests has one of these mishaps.
    pub(crate) fn storm(&self, rarity: usize, mishaps: &[Mishap]) {
        self.state.lock().unwrap().storm = (rarity, mishaps.to_vec());
    }

    /// The requests since the last time, each try of them, and the capacity units of those that succeeded.
    pub(crate) fn bill(&self) -> (Vec<String>, f64) {
        let state = std::mem::take(&mut *self.state.lock().unwrap());
        (state.requests, state.units)
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "units"
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        let mut capacity = Vec::new();
        if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            capacity.extend(put.consumed_capacity());
        }
        if let Some(query) = output.downcast_ref::<QueryOutput>() {
            capacity.extend(query.consumed_capacity());
        }
        if let Some(transaction) = output.downcast_ref::<TransactWriteItemsOutput>() {
            capacity.extend(transaction.consumed_capacity());
        }
        let units: f64 = capacity.iter().filter_map(|capacity| capacity.capacity_units()).sum();
        self.state.lock().unwrap().units += units;
        Ok(())
    }
}

/// An HTTP client whose connections are tapped.
#[derive(Debug)]
struct Tapped {
    http: SharedHttpClient,
    wire: Wire,
}

impl HttpClient for Tapped {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Tap { connector, wire: self.wire.clone() })
    }
}

#[derive(Debug)]
struct Tap {
    connector: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for Tap {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let mishap = {
            let mut state = self.wire.state.lock().unwrap();
            state.requests.push(operation);
            state.next()
        };
        match mishap {
            None | Some(Mishap::Nothing) => self.connector.call(request),
            Some(Mishap::LostAnswer) => {
                let answer = self.connector.call(request);
                HttpConnectorFuture::new(async move {
                    answer.await?;
                    Err(ConnectorError::io("the connection broke".into()))
                })
            }
            Some(Mishap::Silence) => HttpConnectorFuture::new(std::future::pending()),
            Some(Mishap::Answer(status, kind, rest)) => {
                let comma = if rest.is_empty() { "" } else { "," };
                let body = format!("{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{kind}\"{comma}{rest}}}");
                let answer = HttpResponse::new(status.try_into().unwrap(), body.into());
                HttpConnectorFuture::ready(Ok(answer))
            }
        }
    }
}
