//! All that is served: the router, and a short way past it to what nearly every request is for. Must not serve anything there
//! that the router does not.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use tower::ServiceExt as _;

use super::{Part, ROUTES, Route, RouteId, decide, ingest};
use crate::app::App;
use crate::edge;

/// All that a process serves; cheap to clone.
#[derive(Clone)]
pub struct Site {
    app: App,
    part: Part,
    router: Router,
}

impl Site {
    pub(super) fn new(app: &App, part: Part, router: Router) -> Self {
        Self { app: app.clone(), part, router }
    }

    /// The same, with further routes.
    pub fn with(self, more: Router) -> Self {
        Self { router: self.router.merge(more), ..self }
    }

    /// Answers the request. An event and a decision are told by sight: the router would be a tenth of what they cost.
    pub async fn answer(&self, request: Request) -> Result<Response, Infallible> {
        match self.frequent(&request) {
            Some(route) if route.id == RouteId::Event => {
                Ok(edge::run(&self.app, route, request, ingest::event).await)
            }
            Some(route) => Ok(edge::run(&self.app, route, request, decide::decide).await),
            None => self.router.clone().oneshot(request).await,
        }
    }

    fn frequent(&self, request: &Request) -> Option<&'static Route> {
        if request.method() != Method::POST {
            return None;
        }
        let is_asked = |route: &&Route| route.path == request.uri().path();
        let frequent =
            ROUTES.iter().filter(|route| matches!(route.id, RouteId::Event | RouteId::Decide));
        frequent.filter(|route| self.part.holds(route.id)).find(is_asked)
    }
}
