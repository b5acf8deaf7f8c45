//! An HTTP client whose connections are tapped by a wire.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::wire::Fate;
use super::{Mishap, Wire};

impl Wire {
    /// An HTTP client for plain connections to loopback, behind this wire. For the units to be counted, the wire has to
    /// be an interceptor of the client of DynamoDB, too.
    #[must_use]
    pub fn http(&self) -> SharedHttpClient {
        let http = aws_smithy_http_client::Builder::new().build_http();
        SharedHttpClient::new(Tapped { http, wire: self.clone() })
    }
}

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
        let target = request.headers().get("x-amz-target");
        let is_s3 = target.is_none();
        let operation = match target {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => s3_operation(&request).to_owned(),
        };
        match self.wire.fate(&operation, resource(&request)) {
            Fate::Pass | Fate::Meet(Mishap::Nothing) => self.connector.call(request),
            Fate::Meet(Mishap::LostAnswer) => {
                let answer = self.connector.call(request);
                HttpConnectorFuture::new(async move {
                    answer.await?;
                    Err(ConnectorError::io("the connection broke".into()))
                })
            }
            Fate::Meet(Mishap::Silence) => HttpConnectorFuture::new(std::future::pending()),
            Fate::Meet(Mishap::Answer(status, kind, _)) if is_s3 => {
                answer(status, format!("<?xml version=\"1.0\"?><Error><Code>{kind}</Code></Error>"))
            }
            Fate::Meet(Mishap::Answer(status, kind, rest)) => {
                let comma = if rest.is_empty() { "" } else { "," };
                answer(status, format!("{{\"__type\":\"com.amazonaws#{kind}\"{comma}{rest}}}"))
            }
            Fate::Meet(Mishap::HalfRefused) if operation == "PutRecords" => self.half_refused(request),
            Fate::Meet(Mishap::HalfRefused) => self.connector.call(request),
            Fate::Crash(crash) if !crash.carried_out => std::process::abort(),
            Fate::Crash(_) => {
                let answer = self.connector.call(request);
                HttpConnectorFuture::new(async move {
                    let _carried_out = answer.await;
                    std::process::abort()
                })
            }
        }
    }
}

impl Tap {
    /// Sends on every second record and answers for all.
    fn half_refused(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let mut body: Value = request
            .body()
            .bytes()
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .expect("the SDK sends a PutRecords as JSON");
        let records =
            body.get_mut("Records").and_then(Value::as_array_mut).expect("a PutRecords has records");
        let count = records.len();
        let kept: Vec<Value> = std::mem::take(records).into_iter().skip(1).step_by(2).collect();
        let refusal = || {
            json!({
                "ErrorCode": "ProvisionedThroughputExceededException",
                "ErrorMessage": "rate exceeded for a shard",
            })
        };
        if kept.is_empty() {
            let body = json!({ "FailedRecordCount": count, "Records": vec![refusal(); count] });
            return answer(200, body.to_string());
        }
        *records = kept;
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        let sent = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let (status, body) = {
                let answered = sent.await?;
                let status = answered.status();
                let body = answered.into_body();
                let bytes = collect(body).await?;
                (status, bytes)
            };
            let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
            if let Some(records) = body.get_mut("Records").and_then(Value::as_array_mut) {
                let mut carried_out = std::mem::take(records).into_iter();
                *records = (0..count)
                    .map(
                        |place| {
                            if place % 2 == 0 { refusal() } else { carried_out.next().unwrap_or_default() }
                        },
                    )
                    .collect();
                let refused = records.iter().filter(|record| record.get("ErrorCode").is_some()).count();
                if let Some(body) = body.as_object_mut() {
                    body.insert("FailedRecordCount".to_owned(), refused.into());
                }
            }
            Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
        })
    }
}

async fn collect(body: SdkBody) -> Result<bytes::Bytes, ConnectorError> {
    let stream = aws_smithy_types::byte_stream::ByteStream::new(body);
    let bytes = stream.collect().await.map_err(|error| ConnectorError::io(error.into()))?;
    Ok(bytes.into_bytes())
}

fn answer(status: u16, body: String) -> HttpConnectorFuture {
    let status = status.try_into().expect("the tests name statuses that exist");
    HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())))
}

/// What is asked of S3, whose requests do not name it. Only what the archive asks is told apart.
fn s3_operation(request: &HttpRequest) -> &'static str {
    match request.method() {
        "PUT" => "PutObject",
        "HEAD" => "HeadObject",
        _ if request.uri().contains("list-type=2") => "ListObjectsV2",
        _ => "GetObject",
    }
}

/// The name of the table or stream a request is about, or the address of one to S3, or the whole body of one that does
/// not say.
fn resource(request: &HttpRequest) -> &str {
    if request.headers().get("x-amz-target").is_none() {
        return request.uri();
    }
    let body = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    ["\"TableName\":\"", "\"StreamName\":\""]
        .iter()
        .find_map(|name| body.split_once(name)?.1.split('"').next())
        .unwrap_or(body)
}
