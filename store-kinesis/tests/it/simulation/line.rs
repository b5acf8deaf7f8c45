//! The HTTP client of a process, with everything that happens to requests: they are throttled, fail before and after they
//! are carried out, lose their answer, are never answered, or arrive much later; and at one that was chosen the process
//! dies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use headwater_proof::simulation::{Call, Calls, lock};
use serde_json::Value;

use super::aws::{Answer, Aws};
use super::stream;

/// How often it is looked whether there is an answer to a request that arrives later.
const LOOK: Duration = Duration::from_millis(20);

/// The line of a process; clones are the same line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    aws: Arc<Aws>,
    process: usize,
    calls: Calls,
    /// Records that are under way, by stream of events.
    in_flight: Mutex<BTreeMap<String, usize>>,
    /// The operation whose next request arrives so many milliseconds later.
    late: Mutex<Option<(&'static str, u64)>>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    /// It does not leave.
    Refused,
    Throttled,
    Failed,
    /// It is carried out, and the answer says that it failed.
    FailedAfter,
    AnswerLost,
    Silence,
    /// It arrives after so many milliseconds.
    Late(u64),
}

/// Records that are under way, until this is dropped.
struct InFlight {
    inner: Arc<Inner>,
    streams: Vec<String>,
}

impl Line {
    pub(crate) fn new(aws: &Arc<Aws>, process: usize, seed: u64, death: Option<(u64, bool)>) -> Self {
        let (aws, calls) = (Arc::clone(aws), Calls::new(seed, death));
        let inner = Inner { aws, process, calls, in_flight: Mutex::default(), late: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Whether the process has died at the request that was chosen.
    pub(crate) fn is_dead(&self) -> bool {
        self.inner.calls.is_dead()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.inner.calls.count()
    }

    /// The process dies at the request after so many more.
    pub(crate) fn dies_after(&self, calls: u64, carried_out: bool) {
        self.inner.calls.dies_after(calls, carried_out);
    }

    /// The next request of an operation arrives so many milliseconds later.
    pub(crate) fn is_late_with(&self, operation: &'static str, millis: u64) {
        *lock(&self.inner.late) = Some((operation, millis));
    }
}

impl HttpClient for Line {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let body: Value = body.expect("the SDK sends JSON");
        let inner = Arc::clone(&self.inner);
        HttpConnectorFuture::new(async move {
            let answer = inner.call(operation, body).await?;
            let status = answer.status.try_into().expect("a status that exists");
            Ok(HttpResponse::new(status, answer.body.to_string().into()))
        })
    }
}

impl Inner {
    async fn call(self: Arc<Self>, operation: String, body: Value) -> Result<Answer, ConnectorError> {
        let Call { fate, before, after, dies } = self.next();
        let late = lock(&self.late).take_if(|(chosen, _)| *chosen == operation);
        let fate = late.map_or(fate, |(_, millis)| Fate::Late(millis));
        if dies == Some(false) {
            self.calls.die().await;
        }
        let _in_flight = (operation == "PutRecords").then(|| self.take_off(&body));
        tokio::time::sleep(before).await;
        let kinesis = operation == "PutRecords";
        let (aws, process) = (Arc::clone(&self.aws), self.process);
        let work = move || {
            let answer = aws.carry_out(process, &operation, &body);
            aws.air.note(&format!("{process} {operation} {}: {}", what(&body), answer.word()));
            answer
        };
        let broke = || ConnectorError::io("the connection broke".into());
        let answer = match fate {
            Fate::Refused => return Err(broke()),
            Fate::Throttled => {
                let kind = "ProvisionedThroughputExceededException";
                return Ok(Answer::error(
                    400,
                    if kinesis { kind } else { "ThrottlingException" },
                    Value::Null,
                ));
            }
            Fate::Failed => return Ok(Answer::error(500, "InternalServerError", Value::Null)),
            Fate::Silence => std::future::pending().await,
            Fate::Late(delay) => self.late(delay, work).await,
            Fate::Well | Fate::FailedAfter | Fate::AnswerLost => work(),
        };
        if dies == Some(true) {
            self.calls.die().await;
        }
        tokio::time::sleep(after).await;
        match fate {
            Fate::AnswerLost => Err(broke()),
            Fate::FailedAfter => Ok(Answer::error(500, "InternalServerError", Value::Null)),
            _ => Ok(answer),
        }
    }

    /// Sends a request that arrives later, and waits for as long as somebody waits for the answer.
    async fn late(&self, delay: u64, work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
        let place = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&place);
        self.aws.air.send(delay, move || *lock(&place) = Some(work()));
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(answer) = lock(&answer).take() {
                return answer;
            }
        }
    }

    fn next(&self) -> Call<Fate> {
        let rarity = self.aws.air.rarity();
        self.calls.one_more(12, |random| {
            if !random.one_in(rarity) {
                return Fate::Well;
            }
            match random.below(8) {
                0 => Fate::Refused,
                1 => Fate::Throttled,
                2 => Fate::Failed,
                3 => Fate::FailedAfter,
                4 => Fate::AnswerLost,
                5 => Fate::Silence,
                6 => Fate::Late(random.below(12_000)),
                _ => Fate::Late(random.below(100_000)),
            }
        })
    }

    /// Of a stream of events one record is under way at a time (L4).
    fn take_off(self: &Arc<Self>, body: &Value) -> InFlight {
        let entries = stream::entries(body).unwrap_or_default();
        let streams: Vec<String> = entries.into_iter().map(|entry| entry.key).collect();
        let mut in_flight = lock(&self.in_flight);
        for stream in &streams {
            let count = in_flight.entry(stream.clone()).or_default();
            *count += 1;
            if *count > 1 {
                self.aws.air.broke(format!("L4: two records of {stream} are in flight at once"));
            }
        }
        InFlight { inner: Arc::clone(self), streams }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut in_flight = lock(&self.inner.in_flight);
        for stream in &self.streams {
            if let Some(count) = in_flight.get_mut(stream) {
                *count -= 1;
            }
        }
    }
}

/// What a request is about, in words that are the same in every run.
fn what(body: &Value) -> String {
    let item = body.get("Item").or_else(|| body.get("Key")).unwrap_or(body);
    let text = |name: &str, kind: &str| {
        let value = item.get(name).and_then(|value| value.get(kind)).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let values = body.get("ExpressionAttributeValues").map(Value::to_string).unwrap_or_default();
    let records = body.get("Records").and_then(Value::as_array).map(Vec::len);
    let records = records.map(|count| format!("{count} records")).unwrap_or_default();
    let place = [text("s", "S"), text("v", "N"), text("w", "S"), text("q", "N"), text("k", "S")];
    let words: Vec<String> =
        place.into_iter().chain([values, records]).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
