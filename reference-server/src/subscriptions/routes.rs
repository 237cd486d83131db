//! The control routes over HTTP (sections 6 and 7).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::faults;
use super::path::StreamPath;
use super::refusal::Refusal;
use super::registry::Put;
use super::route::Route;
use super::service::Subscriptions;
use super::settings::{Settings, parse_paths};
use super::subscription::Subscription;
use super::token::Purpose;
use super::view::SubscriptionView;
use super::worker::{Report, WakeNamed};

const LONGEST_NAME_BYTES: usize = 256;

type Answer = Result<Response<Bytes>, Refusal>;

#[derive(Deserialize)]
struct LinksBody {
    streams: Vec<String>,
}

#[derive(Deserialize)]
struct ClaimBody {
    worker: String,
}

impl Subscriptions {
    /// Answers a request in the control space; `path` is what follows `__ds/` in its path, still
    /// percent-encoded.
    pub(crate) fn answer(&self, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        Route::parse(path)
            .ok_or(Refusal::UnknownRoute)
            .and_then(|route| self.route(route, request))
            .unwrap_or_else(|refusal| refused(&refusal))
    }

    fn route(&self, route: Route, request: &Request<Bytes>) -> Answer {
        let allowed = route.allowed();
        if !allowed.split(", ").any(|method| method == request.method()) {
            return Err(Refusal::Method { allowed });
        }
        let body = request.body();
        if body.len() > self.config.limits.request_body_bytes {
            return Err(Refusal::BodyTooLong(self.config.limits.request_body_bytes));
        }
        let token = || self.token(request);
        match route {
            Route::Jwks => Ok(self.show_jwks()),
            Route::Subscription(id) => match *request.method() {
                Method::PUT => self.put(&id, body),
                Method::DELETE => Ok(self.delete(&id)),
                _ => self.show(&id),
            },
            Route::Links(id) => self.add_links(&id, body),
            Route::Link(id, path) => self.remove_link(&id, &path),
            Route::Claim(id) => self.claim(&id, body),
            Route::Callback(id) => self.report(&id, &token()?, Purpose::Callback, body),
            Route::Ack(id) => self.report(&id, &token()?, Purpose::Claim, body),
            Route::Release(id) => self.release(&id, &token()?, body),
        }
    }

    fn show_jwks(&self) -> Response<Bytes> {
        let mut response = json_response(StatusCode::OK, &self.jwks());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        response
    }

    fn put(&self, id: &str, body: &[u8]) -> Answer {
        if id.len() > LONGEST_NAME_BYTES || id.chars().any(char::is_control) {
            return Err(Refusal::Invalid("the subscription's id is not usable".to_owned()));
        }
        let settings = Settings::parse(body, &self.config, self.faults.switches)?;
        self.expect_appends();
        self.change(|registry, moment| {
            let status = match registry.put(id, settings, moment)? {
                Put::Created => StatusCode::CREATED,
                Put::Confirmed => StatusCode::OK,
            };
            Ok(json_response(status, &self.view(registry.find(id)?)))
        })
    }

    fn show(&self, id: &str) -> Answer {
        self.change(|registry, _| Ok(json_response(StatusCode::OK, &self.view(registry.find(id)?))))
    }

    fn view(&self, subscription: &Subscription) -> SubscriptionView {
        SubscriptionView::of(subscription, || self.signing_view())
    }

    fn delete(&self, id: &str) -> Response<Bytes> {
        self.change(|registry, _| registry.delete(id));
        no_content()
    }

    fn add_links(&self, id: &str, body: &[u8]) -> Answer {
        let given: LinksBody = parse(body)?;
        let paths = parse_paths(&given.streams)?;
        self.change(|registry, moment| registry.add_streams(id, &paths, moment))?;
        Ok(no_content())
    }

    fn remove_link(&self, id: &str, path: &str) -> Answer {
        let path = StreamPath::parse(path).map_err(|mistake| Refusal::Invalid(mistake.to_string()))?;
        self.change(|registry, moment| registry.remove_stream(id, &path, moment))?;
        Ok(no_content())
    }

    fn claim(&self, id: &str, body: &[u8]) -> Answer {
        let ClaimBody { worker } = parse(body)?;
        if worker.is_empty() || worker.len() > LONGEST_NAME_BYTES {
            return Err(Refusal::Invalid("worker is empty or too long".to_owned()));
        }
        let claim = self.change(|registry, moment| registry.claim(id, &worker, moment))?;
        Ok(json_response(StatusCode::OK, &claim))
    }

    fn report(&self, id: &str, token: &str, purpose: Purpose, body: &[u8]) -> Answer {
        let report: Report = parse(&faults::completed(body, self.faults.switches))?;
        let next_wake =
            self.change(|registry, moment| registry.report(id, token, purpose, &report, moment))?;
        let answer = json!({ "ok": true, "next_wake": next_wake });
        Ok(json_response(StatusCode::OK, &answer))
    }

    fn token(&self, request: &Request<Bytes>) -> Result<String, Refusal> {
        let elsewhere = |refusal| faults::token_elsewhere(request, self.faults.switches).ok_or(refusal);
        bearer_token(request.headers()).map(str::to_owned).or_else(elsewhere)
    }

    fn release(&self, id: &str, token: &str, body: &[u8]) -> Answer {
        let wake: WakeNamed = parse(&faults::completed(body, self.faults.switches))?;
        self.change(|registry, moment| registry.release(id, token, &wake, moment))?;
        Ok(no_content())
    }
}

impl Route {
    fn allowed(&self) -> &'static str {
        match self {
            Self::Jwks => "GET, HEAD",
            Self::Subscription(_) => "PUT, GET, HEAD, DELETE",
            Self::Link(..) => "DELETE",
            Self::Links(_) | Self::Callback(_) | Self::Claim(_) | Self::Ack(_) | Self::Release(_) => "POST",
        }
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::WebhookUrl(_) => StatusCode::BAD_REQUEST,
            Self::TokenMissing | Self::TokenInvalid | Self::TokenExpired => StatusCode::UNAUTHORIZED,
            Self::UnknownSubscription | Self::UnknownRoute => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict
            | Self::Fenced
            | Self::AlreadyClaimed { .. }
            | Self::NoPendingWork
            | Self::InvalidOffset(_) => StatusCode::CONFLICT,
            Self::BodyTooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Limit(_) => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    fn body(&self) -> Value {
        let mut error = json!({ "code": self.code(), "message": self.to_string() });
        if let Self::AlreadyClaimed { current_holder, generation } = self {
            error["current_holder"] = json!(current_holder);
            error["generation"] = json!(generation);
        }
        json!({ "error": error })
    }
}

/// The token a callback, ack or release travels with. It counts in the Authorization header only: elsewhere it
/// would end up in logs (section 12.9).
fn bearer_token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or(Refusal::TokenMissing)?;
    let (scheme, token) = value.split_once(' ').ok_or(Refusal::TokenMissing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Refusal::TokenMissing) }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|mistake| Refusal::Invalid(format!("the body is not right: {mistake}")))
}

fn refused(refusal: &Refusal) -> Response<Bytes> {
    let mut response = json_response(refusal.status(), &refusal.body());
    let headers = response.headers_mut();
    if let Refusal::Method { allowed } = refusal {
        headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Answers are about one moment, and some hold tokens: nothing of it may be stored.
fn json_response(status: StatusCode, body: &impl serde::Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(body).expect("answers are plain JSON");
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
