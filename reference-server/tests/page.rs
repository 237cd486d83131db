//! The page, in a real browser.

mod browser;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use fantoccini::Locator;
use fantoccini::key::Key;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use streamgauge_reference_server::logs::{self, LogsConfig};
use streamgauge_reference_server::page;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use browser::line::Line;
use browser::{Browser, with_browser};

const SOON: Duration = Duration::from_secs(5);

/// The page with logs to watch, behind a connection that can be cut.
struct Site {
    router: Router,
    line: Line,
}

impl Site {
    async fn start(extra: Router) -> Self {
        let router = page::router("/v1/stream").merge(log_routes()).merge(extra);
        let line = Line::to(serve(router.clone()).await).await;
        Self { router, line }
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}/{rest}", self.line.address)
    }

    async fn log(&self, entries: Value) {
        let request = Request::post("/api/logs").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(entries.to_string())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }

    async fn log_numbers(&self, numbers: std::ops::Range<usize>) {
        let entry = |n: usize| json!({"level": "info", "message": n.to_string()});
        self.log(numbers.map(entry).collect()).await;
    }
}

fn log_routes() -> Router {
    logs::router(LogsConfig::default(), CancellationToken::new())
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

async fn choose(browser: &Browser, field: &str, value: &str) {
    let selector = format!("[name={field}]");
    let element = browser.client.find(Locator::Css(&selector)).await.unwrap();
    element.select_by_value(value).await.unwrap();
}

async fn fill(browser: &Browser, field: &str, text: &str) {
    let selector = format!("[name={field}]");
    let element = browser.client.find(Locator::Css(&selector)).await.unwrap();
    element.clear().await.unwrap();
    element.send_keys(text).await.unwrap();
}

async fn click(browser: &Browser, id: &str) {
    browser.client.find(Locator::Id(id)).await.unwrap().click().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_followed_and_a_cut_loses_and_doubles_nothing() {
    let mut site = Site::start(Router::new()).await;
    with_browser(|browser| async move {
        site.log_numbers(0..20).await;
        browser.client.goto(&site.url("")).await.unwrap();
        assert_eq!(browser.light_text().await, "not following");
        choose(&browser, "source", "service").await;
        click(&browser, "follow").await;
        browser.light_turns("live", SOON).await;
        site.log_numbers(20..40).await;
        assert_eq!(browser.lines(40, SOON).await, numbers(0..40));

        site.line.cut();
        browser.light_turns("waiting", SOON).await;
        assert_eq!(browser.light_text().await, "not connected: try 1 of 10 in 1 s");
        site.log_numbers(40..60).await;
        sleep(Duration::from_millis(1_500)).await;
        assert_eq!(browser.light_text().await, "not connected: try 2 of 10 in 2 s");
        browser.picture("waiting").await;
        site.line.restore().await;
        browser.light_turns("live", SOON).await;
        site.log_numbers(60..80).await;
        assert_eq!(browser.lines(80, SOON).await, numbers(0..80));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_narrow_and_text_is_never_markup() {
    let site = Site::start(Router::new()).await;
    with_browser(|browser| async move {
        let script = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>";
        let levels = ["debug", "info", "warn", "error"];
        let entry = |(n, level): (usize, &str)| {
            json!({"level": level, "message": format!("{level} {script}"), "job_id": "7",
                "step_name": if n % 2 == 0 { "build" } else { "test" }})
        };
        site.log(levels.into_iter().enumerate().map(entry).collect()).await;
        browser.client.goto(&site.url("#source=job&job_id=7&level=debug")).await.unwrap();
        let lines = browser.lines(4, SOON).await;
        assert_eq!(lines, levels.map(|level| format!("{level} {script}")));
        let markup =
            "return [window.ran ?? null, document.querySelectorAll('#lines script, #lines img').length]";
        assert_eq!(browser.eval(markup).await, json!([null, 0]));
        browser.picture("job-light").await;

        choose(&browser, "level", "warn").await;
        browser.light_turns("live", SOON).await;
        let narrowed = browser.lines(2, SOON).await;
        assert!(narrowed.len() == 2 && narrowed[0].starts_with("warn"), "{narrowed:?}");
        fill(&browser, "step", &format!("test{}", Key::Enter)).await;
        browser.light_turns("live", SOON).await;
        let narrowed = browser.lines(1, SOON).await;
        assert!(narrowed.len() == 1 && narrowed[0].starts_with("error"), "{narrowed:?}");

        let state =
            json!({"status": "running", "steps": [{"id": "1", "name": "<b>build", "status": "done"}]});
        let request = Request::put("/api/jobs/7/status").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(state.to_string())).unwrap();
        assert_eq!(site.router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
        sleep(Duration::from_millis(300)).await;
        let shown = browser.eval("return document.getElementById('job').textContent").await;
        assert_eq!(shown, "job 7: running · <b>build done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_1000_lines_are_held_and_the_page_scrolls_where_it_is_asked_to() {
    let site = Site::start(Router::new()).await;
    with_browser(|browser| async move {
        browser.client.goto(&site.url("#source=service")).await.unwrap();
        browser.light_turns("live", SOON).await;
        // In two goes: lines give way within one batch, and to a later one.
        site.log_numbers(0..300).await;
        browser.lines(300, SOON).await;
        site.log_numbers(300..1_500).await;
        let last = "return document.querySelector('.row:last-child > .text')?.textContent ?? null";
        for _ in 0..100 {
            if browser.eval(last).await == "1499" {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(browser.lines(1_000, SOON).await, numbers(500..1_500));
        let count = "return document.getElementById('count').value";
        assert_eq!(browser.eval(count).await, "1000 lines, 500 older let go");
        let below = "const box = document.getElementById('lines'); \
                     return box.scrollHeight - box.scrollTop - box.clientHeight";
        assert!(browser.eval(below).await.as_f64().unwrap() < 2.0);

        let lines = browser.client.find(Locator::Id("lines")).await.unwrap();
        lines.send_keys(&Key::Home.to_string()).await.unwrap();
        sleep(Duration::from_millis(500)).await;
        assert_eq!(browser.eval("return document.getElementById('scroll').checked").await, false);
        click(&browser, "clear").await;
        assert_eq!(browser.eval(count).await, "0 lines");
        site.log_numbers(0..200).await;
        browser.lines(200, SOON).await;
        assert!(browser.eval(below).await.as_f64().unwrap() > 100.0, "it stays where its user is");
        click(&browser, "scroll").await;
        assert!(browser.eval(below).await.as_f64().unwrap() < 2.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_by_keyboard_alone_and_in_both_colour_schemes() {
    let site = Site::start(Router::new()).await;
    with_browser(|browser| async move {
        let entries =
            [("info", "listening on 127.0.0.1:4437"), ("warn", "a reader is slow"), ("error", "gone")];
        let entry = |(level, message)| json!({"level": level, "message": message});
        site.log(entries.map(entry).into_iter().collect()).await;
        browser.client.goto(&site.url("")).await.unwrap();
        press(&browser, &Key::Tab.to_string()).await;
        press(&browser, "the log of the s").await;
        // Past the level, to the button.
        for _ in 0..2 {
            press(&browser, &Key::Tab.to_string()).await;
        }
        assert_eq!(browser.eval("return document.activeElement.id").await, "follow");
        press(&browser, &Key::Enter.to_string()).await;
        browser.light_turns("live", SOON).await;
        browser.lines(3, SOON).await;

        let background = "return getComputedStyle(document.body).backgroundColor";
        browser.prefer_color_scheme("light").await;
        assert_eq!(browser.eval(background).await, "rgb(246, 247, 248)");
        browser.picture("service-light").await;
        browser.prefer_color_scheme("dark").await;
        assert_eq!(browser.eval(background).await, "rgb(20, 23, 27)");
        browser.picture("service-dark").await;
    })
    .await;
}

async fn press(browser: &Browser, keys: &str) {
    browser.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
}

/// Scripted event streams: each connection gets the next text, and its query is kept.
#[derive(Clone, Default)]
struct Script {
    connections: Arc<Mutex<std::vec::IntoIter<&'static str>>>,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn router(&self, content_type: &'static str) -> Router {
        let head = move || async move { [(header::CONTENT_TYPE, content_type)] };
        Router::new().route("/v1/stream/{*path}", get(Self::answer).head(head)).with_state(self.clone())
    }

    async fn answer(State(script): State<Self>, RawQuery(query): RawQuery) -> Response {
        script.queries.lock().unwrap().push(query.unwrap_or_default());
        match script.connections.lock().unwrap().next() {
            Some(text) => ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_resumes_at_the_last_control_until_it_is_closed() {
    let script = Script::default();
    *script.connections.lock().unwrap() = vec![
        "event: data\ndata:[1,{\"a\":\"],<b>\"}]\n\nevent: control\n\
         data: {\"streamNextOffset\":\"b 2\",\"streamCursor\":\"c1\"}\n\nevent: data\ndata:[3]\n\nevent: con",
        "event: data\r\ndata: [3,\r\ndata: 12345678901234567890\r\ndata: ]\r\n\r\n: comment\r\n\
         event: control\r\ndata: {\"streamNextOffset\":\"d4\",\"streamClosed\":true}\r\n\r\n",
    ]
    .into_iter();
    let site = Site::start(script.router("application/json")).await;
    with_browser(|browser| async move {
        browser.client.goto(&site.url("")).await.unwrap();
        fill(&browser, "path", &format!("a b/ü{}", Key::Enter)).await;
        browser.light_turns("closed", SOON).await;
        assert_eq!(browser.light_text().await, "the stream is closed");
        let lines = browser.lines(4, SOON).await;
        assert_eq!(lines, ["1", r#"{"a":"],<b>"}"#, "3", "12345678901234567890"]);
        browser.picture("closed").await;
        sleep(Duration::from_millis(2_500)).await;
        let queries = script.queries.lock().unwrap().clone();
        assert_eq!(queries, ["live=sse&offset=-1", "cursor=c1&live=sse&offset=b+2"], "and no third");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_goes_on_across_events_and_a_missing_stream_is_not_tried_again() {
    let script = Script::default();
    *script.connections.lock().unwrap() = vec![
        "event: data\ndata: one\ndata: tw\n\nevent: control\ndata: {\"streamNextOffset\":\"1\"}\n\n\
         event: data\ndata: o <i>\ndata: \n\nevent: control\ndata: {\"streamNextOffset\":\"2\"}\n\n\
         event: data\ndata: three\n\nevent: control\ndata: {\"streamNextOffset\":\"3\"}\n\n",
    ]
    .into_iter();
    let site = Site::start(script.router("text/plain; charset=utf-8")).await;
    with_browser(|browser| async move {
        browser.client.goto(&site.url("#source=stream&path=x")).await.unwrap();
        browser.light_turns("lost", SOON).await;
        assert_eq!(browser.light_text().await, "there is no such stream");
        assert_eq!(browser.lines(3, SOON).await, ["one", "two <i>", "three"]);
        let tried = || script.queries.lock().unwrap().len();
        assert_eq!(tried(), 2);
        sleep(Duration::from_millis(2_500)).await;
        assert_eq!(tried(), 2);
        click(&browser, "again").await;
        sleep(Duration::from_millis(500)).await;
        assert_eq!(tried(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_events_stop_the_log_is_polled_for() {
    // The stream of this server opens and then says nothing, as behind a proxy that buffers.
    let silent = || async { ([(header::CONTENT_TYPE, "text/event-stream")], silence()).into_response() };
    let logs = log_routes();
    let plain = logs.clone();
    let newest = move |request: Request<Body>| async { plain.oneshot(request).await };
    let served = page::router("/v1/stream")
        .route("/api/logs/stream", get(silent))
        .route("/api/logs", get(newest.clone()).post(newest));
    let site = Site { router: logs, line: Line::to(serve(served).await).await };
    with_browser(|browser| async move {
        site.log_numbers(0..3).await;
        browser.client.goto(&site.url("#source=service")).await.unwrap();
        sleep(Duration::from_secs(13)).await;
        assert_eq!(browser.light_text().await, "connecting");
        browser.light_turns("polling", SOON).await;
        assert_eq!(browser.lines(3, SOON).await, numbers(0..3));
        site.log_numbers(3..9).await;
        assert_eq!(browser.lines(9, SOON).await, numbers(0..9));
        sleep(Duration::from_secs(5)).await;
        assert_eq!(browser.lines(9, SOON).await, numbers(0..9), "polls repeat, lines do not");
    })
    .await;
}

fn silence() -> Body {
    Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>())
}
