//! What feeds the log stream, and the plain read beside it.

use std::convert::Infallible;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::Instant;

use super::entry::{MAX_NAME_BYTES, NewEntry};
use super::problem::Problem;
use super::query::LogsQuery;
use super::shared::Logs;
use super::status::NewStatus;
use super::store::Arrival;

/// Entries taken in one go; readers and other writers have their turn in between.
const ENTRIES_A_TURN: usize = 512;

/// `POST /api/logs`: one entry or an array of them. All are taken, or none (400).
pub(super) async fn append(
    State(logs): State<Logs>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let entries = parse_entries(&json_body(&headers, body)?)?;
    let count = entries.len();
    let time_of_day = jiff::Timestamp::now().strftime("%H:%M:%S").to_string();
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        let arrival = Arrival { now: Instant::now().into_std(), time_of_day: &time_of_day };
        let opened = {
            let mut store = logs.store();
            let turn = entries.by_ref().take(ENTRIES_A_TURN);
            turn.filter_map(|entry| store.push(entry, arrival)).collect()
        };
        logs.close_later(opened);
        tokio::task::yield_now().await;
    }
    Ok(Json(json!({ "count": count })).into_response())
}

/// `GET /api/logs`: the newest entries, as the first `logs` event of a stream would give them.
pub(super) async fn newest(State(logs): State<Logs>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let query = LogsQuery::parse(query.as_deref().unwrap_or_default())?;
    let chunks = logs.store().newest(&query).into_json_chunks();
    let body = Body::from_stream(stream::iter(chunks.map(Ok::<_, Infallible>)));
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, body).into_response())
}

/// `PUT /api/jobs/{id}/status`: answers with the state as it is now.
pub(super) async fn replace_status(
    State(logs): State<Logs>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let status: NewStatus = parse(&json_body(&headers, body)?)?;
    status.check().map_err(Problem::bad_request)?;
    if id.len() > MAX_NAME_BYTES {
        let detail = format!("a job's id may have at most {MAX_NAME_BYTES} bytes");
        return Err(Problem::bad_request(detail));
    }
    let status = logs.store().change_status(&id, status);
    Ok(Json(status).into_response())
}

/// `GET /api/jobs/{id}/status`
pub(super) async fn status(State(logs): State<Logs>, Path(id): Path<String>) -> Result<Response, Problem> {
    let status = logs.store().status(&id).cloned();
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "no state of this job is known");
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Json(status.ok_or_else(unknown)?)).into_response())
}

/// JSON must be called so: a form on a foreign page can send anything else here unasked.
fn json_body(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.and_then(|value| value.split(';').next());
    if !essence.is_some_and(|name| name.trim().eq_ignore_ascii_case("application/json")) {
        let detail = "Content-Type must be application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    body.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
}

fn parse_entries(json: &[u8]) -> Result<Vec<NewEntry>, Problem> {
    let is_array = json.trim_ascii_start().starts_with(b"[");
    let entries: Vec<NewEntry> = if is_array { parse(json)? } else { vec![parse(json)?] };
    for (index, entry) in entries.iter().enumerate() {
        entry.check().map_err(|nonsense| Problem::bad_request(format!("entry {index}: {nonsense}")))?;
    }
    Ok(entries)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(json).map_err(Problem::bad_request)
}
