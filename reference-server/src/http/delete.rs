//! `DELETE`: end a stream (section 5.4).

use ::http::StatusCode;

use super::{App, Response, ResponseBody};
use crate::core::{error::Refusal, path::StreamPath};

pub(super) fn answer(app: &App, path: &StreamPath<'_>) -> Result<Response, Refusal> {
    app.store.delete(path.as_str(), app.now())?;
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
