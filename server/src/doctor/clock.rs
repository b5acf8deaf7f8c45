//! The clock of this machine against that of AWS. Nothing of Headwater is ordered by clocks, but signatures of requests
//! and tokens are judged by them, and people read times.

use axum::http::{Method, header};
use bytes::Bytes;

use super::finding::Finding;
use crate::backends::Connection;
use crate::http_client::HttpClient;

/// AWS refuses requests whose time is further away than five minutes; somebody should look long before.
const SKEW_SECONDS: i64 = 60;

pub(super) async fn examine(connection: &Connection, now: i64) -> Option<Finding> {
    let place = &connection.place;
    let endpoint = place.endpoints.dynamodb.clone();
    let address = endpoint.unwrap_or_else(|| format!("https://dynamodb.{}.amazonaws.com/", place.region));
    // What cannot be reached is found by others.
    let answer = HttpClient::new().ok()?.ask(Method::GET, &address, &[], Bytes::new()).await.ok()?;
    let date = answer.headers.get(header::DATE)?.to_str().ok()?;
    let theirs = seconds(date)?;
    let skew = now - theirs;
    if skew.abs() < SKEW_SECONDS {
        return None;
    }
    let (by, direction) = (skew.abs(), if skew > 0 { "ahead of" } else { "behind" });
    Some(Finding::problem(
        "clock-skew",
        format!("the clock of this machine is {by} s {direction} that of DynamoDB"),
        "set the clock by NTP: from five minutes on AWS refuses requests, and tokens expire too early or too late",
    ))
}

/// Seconds since 1970 of the date of an answer, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn seconds(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parts: Vec<&str> = date.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = parts.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    let text = format!("{year}-{month:02}-{:02}T{time}Z", day.parse::<u8>().ok()?);
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.as_second())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn the_date_of_an_answer_is_read() {
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        for date in ["", "yesterday", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"] {
            assert_eq!(seconds(date), None, "{date}");
        }
    }
}
