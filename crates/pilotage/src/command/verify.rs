//! `pilotage verify` and `pilotage verify-audit`: whether decisions and the book are what was written. Must not change them.

use pilotage_adapters::sqlite;
use pilotage_engine::VerifyError;
use pilotage_engine::advise::{Broken, verify};
use pilotage_engine::port::log::ReadError;
use pilotage_engine::port::store::StoreError;
use serde_json::json;

use super::{Finding, counted, print_json, say, tell};
use crate::cli::VerifyArgs;
use crate::settings::settle;
use crate::{back_end, telemetry};

/// Every decision of record against its validation hash.
pub(super) fn decisions(args: &VerifyArgs) -> anyhow::Result<Finding> {
    found(look_at_decisions(args))
}

/// The book from its first page.
pub(super) fn audit(args: &VerifyArgs) -> anyhow::Result<Finding> {
    found(look_at_book(args))
}

/// A search that ends at something which is not what was written has found what it looks for.
fn found(looked: anyhow::Result<Finding>) -> anyhow::Result<Finding> {
    match looked {
        Err(error) if is_damage(&error) => {
            tell(&format!("pilotage: {}", crate::told(&error)));
            Ok(Finding::Some)
        }
        looked => looked,
    }
}

fn is_damage(error: &anyhow::Error) -> bool {
    let of_folder = |error: &sqlite::OpenError| {
        matches!(error, sqlite::OpenError::Damaged { .. } | sqlite::OpenError::LogBehind { .. })
    };
    let of_record = |error: &VerifyError| {
        matches!(error, VerifyError::Record { .. } | VerifyError::Log(ReadError::Damaged { .. }))
    };
    let of_store = |error: &StoreError| matches!(error, StoreError::Damaged(_));
    error.downcast_ref().is_some_and(of_folder)
        || error.downcast_ref().is_some_and(of_record)
        || error.downcast_ref().is_some_and(of_store)
}

fn look_at_decisions(args: &VerifyArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let settings = settle(&args.common, false, None)?;
    let tell = |done, of| super::progress("verified", done, of);
    let verified = super::runtime()?.block_on(back_end::verify(&settings, tell))?;
    let named: Vec<String> = verified.named.iter().map(ToString::to_string).collect();
    if args.json {
        print_json(&json!({
            "decisions": verified.decisions,
            "broken": verified.broken,
            "named": named,
            "foreign": verified.foreign,
        }))?;
    } else {
        say(&format!(
            "{} decisions, {} not as they were decided",
            verified.decisions, verified.broken
        ));
        named.iter().for_each(|id| say(id));
        if verified.foreign > 0 {
            say(&format!("{} records of the topic are none of ours", verified.foreign));
        }
    }
    Ok(if verified.broken == 0 { Finding::None } else { Finding::Some })
}

fn look_at_book(args: &VerifyArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let settings = settle(&args.common, false, None)?;
    let found = super::runtime()?.block_on(async {
        let store = back_end::store(&settings).await?;
        let found = verify(&*store).await;
        store.close().await;
        anyhow::Ok(found)
    })?;
    let (told, finding) = match found {
        Ok(audit) => {
            let (pages, head) = (audit.pages, audit.head.to_string());
            let told = format!("{}, whole; hash over all: {head}", counted(pages, "page"));
            ((json!({ "whole": true, "pages": pages, "head": head }), told), Finding::None)
        }
        Err(Broken::Store(error)) => return Err(error.into()),
        Err(broken) => {
            let what = broken.to_string();
            ((json!({ "whole": false, "fault": what }), what), Finding::Some)
        }
    };
    if args.json {
        print_json(&told.0)?;
    } else {
        say(&told.1);
    }
    Ok(finding)
}
