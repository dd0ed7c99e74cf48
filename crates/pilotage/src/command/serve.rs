//! `pilotage serve`: the API over log and store. Must lose nothing at shutdown.

use anyhow::{Context, bail};
use pilotage_domain::policy::Policy;
use pilotage_engine::{Engine, ProductSource};
use pilotage_http::{App, Keys, Part, SetupFault};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use super::{Finding, say};
use crate::cli::{ServeArgs, UsageError};
use crate::settings::{Role, Settings, settle};
use crate::{back_end, keys, model, products, telemetry};

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<Finding> {
    telemetry::start("info");
    let settings = settle(&args.common, args.dev, args.role)?;
    if settings.products.is_empty() {
        bail!(UsageError("serve needs at least one product: --product FILE".to_owned()));
    }
    if settings.dev && !settings.listen.ip().is_loopback() {
        bail!(UsageError(format!("--dev serves loopback only, not {}", settings.listen.ip())));
    }
    // A model that can't be asked is a fault before anything is opened.
    model::setup(&settings)?;
    let products = products::of_settings(&settings)?;
    tell_of_idle_guards(&settings, &products);
    super::runtime()?.block_on(serve(settings, products))
}

/// A guard that nobody keeps is no guard: who wrote it can read it in the log. No warning, since the default policy is one of them.
fn tell_of_idle_guards(settings: &Settings, products: &[ProductSource]) {
    if settings.policy == Policy::Learner {
        return;
    }
    for ProductSource { definition, .. } in products {
        if definition.guard_dismiss.is_some() {
            info!(
                product = %definition.product,
                "guard.dismiss stops nobody: only the policy `learner` counts what guides are dismissed for"
            );
        }
    }
}

async fn serve(settings: Settings, products: Vec<ProductSource>) -> anyhow::Result<Finding> {
    let access = keys::access(&settings, &products)?;
    let served: Vec<_> = products.iter().map(|p| p.definition.product.clone()).collect();
    pilotage_http::check(&access, &served, settings.clock).map_err(|faults| usage(&faults))?;
    let listener = bind(&settings).await?;
    let address = listener.local_addr()?;
    let engine = back_end::open(&settings, products).await?;
    say(&format!("pilotage serves http://{address}"));
    let part = match settings.role {
        Role::All => Part::All,
        Role::Ingest => Part::Ingest,
        Role::Decide => Part::Decide,
        Role::Worker => Part::Common,
    };
    serve_app(listener, engine, access, &settings, |app| pilotage_http::site_of(app, part)).await
}

/// Serves until it is asked to stop; by then everything that was acknowledged is written.
pub(super) async fn serve_app(
    listener: TcpListener,
    engine: Engine,
    keys: Keys,
    settings: &Settings,
    routes: impl FnOnce(&App) -> pilotage_http::Site,
) -> anyhow::Result<Finding> {
    // Before the first answer: whoever has one may ask for the end.
    let stop = stop_signal()?;
    let exposition = pilotage_http::install_metrics().context("set metrics up")?;
    let bounds = pilotage_http::Settings {
        unready_for: settings.unready_for,
        ..pilotage_http::Settings::default()
    };
    let app =
        App::new(engine.clone(), keys, bounds, exposition).map_err(|faults| usage(&faults))?;
    let served = pilotage_http::serve(listener, routes(&app), &app, stop).await;
    engine.close().await;
    served?;
    info!("stopped, with everything written");
    Ok(Finding::None)
}

fn usage(faults: &[SetupFault]) -> UsageError {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    UsageError(lines.join("\n          "))
}

/// Takes the address before the data is touched: the commonest mistake is a second start.
pub(super) async fn bind(settings: &Settings) -> anyhow::Result<TcpListener> {
    TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("listen on {}", settings.listen))
}

/// Resolves on an interrupt or a request to terminate. From this call on, not only once it is awaited, neither ends the
/// process by itself.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("listen for signals");
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
    })
}
