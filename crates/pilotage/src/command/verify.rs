//! `pilotage verify` and `pilotage verify-audit`: whether decisions and the book are what was written. Must not change them.

use pilotage_engine::advise::{Broken, verify};
use serde_json::json;

use super::{Finding, counted, print_json, say};
use crate::cli::VerifyArgs;
use crate::settings::settle;
use crate::{back_end, telemetry};

/// Every decision of record against its validation hash.
pub(super) fn decisions(args: &VerifyArgs) -> anyhow::Result<Finding> {
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

/// The book from its first page.
pub(super) fn audit(args: &VerifyArgs) -> anyhow::Result<Finding> {
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
