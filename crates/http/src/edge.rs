//! What surrounds every handler: name the request, admit it, catch its panics, dress its answer, count it. Must not know
//! what a handler does.

use std::future::{Future, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use pilotage_wire::problem::ErrorCode;
use tracing::{debug, error};

use crate::access::{self, Caller};
use crate::app::App;
use crate::cors;
use crate::problem::Problem;
use crate::request_id::{REQUEST_ID, RequestId};
use crate::routes::{Route, RouteId};

/// A request that was admitted.
pub(crate) struct Call {
    pub(crate) app: App,
    pub(crate) caller: Caller,
    pub(crate) parts: Parts,
    pub(crate) body: Body,
}

/// What a handler says.
pub(crate) type Answer = Result<Response, Problem>;

/// A route's handler, with all that surrounds it.
pub(crate) fn endpoint<H, F>(app: &App, route: &'static Route, handler: H) -> MethodRouter
where
    H: Fn(Call) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let (served, refusing) = (app.clone(), app.clone());
    let answer = move |request: Request| {
        let (app, handler) = (served.clone(), handler.clone());
        async move { run(&app, route, request, handler).await }
    };
    on(route.method, answer)
        .fallback(move |request: Request| ready(method_not_allowed(&refusing, &request)))
}

/// A page beside the API: nobody to admit and nothing to count, but dressed and refused as every answer is.
pub(crate) fn page<H>(app: &App, handler: H) -> MethodRouter
where
    H: Fn(&Request) -> Option<Response> + Clone + Send + Sync + 'static,
{
    let (served, refusing) = (app.clone(), app.clone());
    let answer = move |request: Request| {
        ready(match handler(&request) {
            Some(page) => dress(&served, page, RequestId::of(request.headers()), request.headers()),
            None => not_found(&served, &request),
        })
    };
    on(MethodFilter::GET, answer)
        .fallback(move |request: Request| ready(method_not_allowed(&refusing, &request)))
}

/// Has the handler answer a request for its route, with all that surrounds it.
pub(crate) async fn run<H, F>(
    app: &App,
    route: &'static Route,
    request: Request,
    handler: H,
) -> Response
where
    H: Fn(Call) -> F,
    F: Future<Output = Answer>,
{
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let id = RequestId::of(&parts.headers);
    let asked = Asked::of(&parts.headers);
    let answer = match access::admit(app, route.access, &parts) {
        Err(problem) => Err(problem),
        Ok(caller) => {
            let call = Call { app: app.clone(), caller, parts, body };
            unwinding(pin!(handler(call))).await.unwrap_or_else(|()| {
                error!(request_id = id.as_str(), route = route.id.name(), "a handler panicked");
                Err(Problem::internal())
            })
        }
    };
    let response = answer.unwrap_or_else(|problem| {
        debug!(request_id = id.as_str(), route = route.id.name(), code = %problem.code, "refused");
        problem.into_response(id.as_str())
    });
    let response = dress(app, response, id, &asked.0);
    app.metrics.answered(route.id, response.status(), started.elapsed());
    response
}

/// The headers of a request that matter for its answer.
struct Asked(HeaderMap);

impl Asked {
    /// Empty for nearly every request that comes from no browser.
    fn of(headers: &HeaderMap) -> Self {
        use axum::http::header::{HOST, ORIGIN};
        let mut kept = HeaderMap::new();
        if let Some(origin) = headers.get(ORIGIN) {
            kept.insert(ORIGIN, origin.clone());
            if let Some(host) = headers.get(HOST) {
                kept.insert(HOST, host.clone());
            }
        }
        Self(kept)
    }
}

/// Runs the future to its end or to its panic.
async fn unwinding<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, ()> {
    poll_fn(move |context| {
        // A handler that panics is dropped with all that it held: nothing half-changed is looked at again.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(_) => Poll::Ready(Err(())),
        }
    })
    .await
}

/// The headers of every answer.
fn dress(app: &App, mut response: Response, id: RequestId, asked: &HeaderMap) -> Response {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.into_value());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    cors::share(headers, asked, &app.keys);
    response
}

/// The answer to a path that is not served.
pub(crate) fn not_found(app: &App, request: &Request) -> Response {
    let problem = Problem::new(ErrorCode::NotFound, "nothing is served at this path");
    refuse_unmatched(app, request, problem)
}

/// The answer to a method that the path does not serve; the router adds `Allow`.
fn method_not_allowed(app: &App, request: &Request) -> Response {
    let detail = "the path does not serve this method; the header Allow lists those that it does";
    refuse_unmatched(app, request, Problem::new(ErrorCode::MethodNotAllowed, detail))
}

fn refuse_unmatched(app: &App, request: &Request, problem: Problem) -> Response {
    let id = RequestId::of(request.headers());
    let response = dress(app, problem.into_response(id.as_str()), id, request.headers());
    app.metrics.answered(RouteId::Unmatched, response.status(), Duration::ZERO);
    response
}

/// The answer to a browser that asks whether its page may call.
pub(crate) fn preflight(app: &App, request: &Request) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    cors::preflight(response.headers_mut());
    dress(app, response, RequestId::of(request.headers()), request.headers())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_the_handler_and_nothing_else() {
        let quiet = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let panicking = pin!(async {
            tokio::task::yield_now().await;
            panic!("a secret of ours")
        });
        let panicked: Result<(), ()> = unwinding(panicking).await;
        std::panic::set_hook(quiet);
        assert_eq!(panicked, Err(()));
        assert_eq!(unwinding(pin!(async { 7 })).await, Ok(7));
    }
}
