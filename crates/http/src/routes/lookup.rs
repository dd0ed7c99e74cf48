//! Looking up users, timelines and decisions. Must not change anything.

use std::time::Duration;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, UserId};
use pilotage_domain::profile::contact::ContactLedger;
use pilotage_domain::profile::view::View;
use pilotage_domain::value::Scalar;
use pilotage_engine::{GuideOutcome, LookupError, TimelineItem, TimelinePage, UserView};
use pilotage_wire::api::decision::DecisionRecord;
use pilotage_wire::api::timeline::{
    DEFAULT_LIMIT, EventItem, ItemBody, MAX_LIMIT, MergeItem, OutcomeItem, OutcomeKind,
    TimelineBody,
};
use pilotage_wire::api::user::{
    ContactBody, DecisionSummary, DismissedBody, GuideContactBody, LastErrorBody, MilestoneBody,
    SessionsBody, UserBody,
};
use pilotage_wire::problem::{ErrorCode, Fault};
use pilotage_wire::record::decision::StoredDecision;
use tracing::warn;

use super::json;
use crate::access::query;
use crate::app::App;
use crate::edge::{Answer, Call};
use crate::problem::Problem;

/// How long a look-up waits for what was acknowledged before it to reach the profiles.
const SETTLE: Duration = Duration::from_millis(250);

/// `GET /api/v1/users/{id}`
pub(super) async fn user(mut call: Call) -> Answer {
    let id = user_id(&mut call.parts).await?;
    settle(&call.app).await;
    let product = &call.caller.product;
    let view = call.app.engine.user(product, &id).await.map_err(unavailable)?;
    let view = view.ok_or_else(unknown_user)?;
    Ok(json(StatusCode::OK, &user_body(&id, &view)))
}

/// `GET /api/v1/users/{id}/timeline`
pub(super) async fn timeline(mut call: Call) -> Answer {
    let id = user_id(&mut call.parts).await?;
    let (limit, after) = window(&call.parts).map_err(Problem::invalid)?;
    settle(&call.app).await;
    let product = &call.caller.product;
    let page = call.app.engine.timeline(product, &id, limit, after).await.map_err(unavailable)?;
    Ok(json(StatusCode::OK, &timeline_body(page.ok_or_else(unknown_user)?)))
}

/// `GET /api/v1/decisions/{id}`
pub(super) async fn decision(mut call: Call) -> Answer {
    let unknown = || Problem::new(ErrorCode::UnknownDecision, "no decision has this id");
    let id = segment(&mut call.parts).await.and_then(|id| DecisionId::parse(&id));
    let id = id.ok_or_else(unknown)?;
    let found = call.app.engine.decision(&call.caller.product, id).await.map_err(unavailable)?;
    Ok(json(StatusCode::OK, &DecisionRecord::new(&found.ok_or_else(unknown)?)))
}

/// Lets a caller see what it has sent. Where folding lags behind or stands still, what is there is better than nothing.
pub(super) async fn settle(app: &App) {
    if let Ok(Err(error)) = tokio::time::timeout(SETTLE, app.engine.settled()).await {
        warn!(%error, "a look-up answers with what is folded");
    }
}

/// The one variable segment of the path, decoded.
pub(super) async fn segment(parts: &mut Parts) -> Option<String> {
    Path::<String>::from_request_parts(parts, &()).await.ok().map(|Path(segment)| segment)
}

async fn user_id(parts: &mut Parts) -> Result<UserId, Problem> {
    let id = segment(parts).await.and_then(|id| UserId::new(&id).ok());
    id.ok_or_else(unknown_user)
}

fn unknown_user() -> Problem {
    Problem::new(ErrorCode::UnknownUser, "there is no record of this user")
}

pub(super) fn unavailable(error: LookupError) -> Problem {
    warn!(%error, "a look-up failed");
    Problem::new(ErrorCode::Unavailable, "the records can't be read now")
}

/// `limit` and `cursor`.
fn window(parts: &Parts) -> Result<(usize, Option<Position>), Vec<Fault>> {
    let mut faults = Vec::new();
    let limit = match query(parts, "limit").map(|text| text.parse()) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => {
            faults
                .push(Fault::new("query.limit", format!("must be a number from 1 to {MAX_LIMIT}")));
            DEFAULT_LIMIT
        }
    };
    let after = match query(parts, "cursor").map(|text| u64::from_str_radix(&text, 16)) {
        None => None,
        Some(Ok(position)) => Some(Position(position)),
        Some(Err(_)) => {
            faults.push(Fault::new("query.cursor", "must be the `next` of an earlier answer"));
            None
        }
    };
    if faults.is_empty() { Ok((limit, after)) } else { Err(faults) }
}

fn user_body(id: &UserId, view: &UserView) -> UserBody {
    let (definition, profile) = (&view.definition, &view.profile);
    let seen = View { definition, profile, now: view.now };
    let milestones = definition.milestones.entries().map(|(ix, milestone)| MilestoneBody {
        id: milestone.id.to_string(),
        name: milestone.name.to_string(),
        status: seen.status(ix).into(),
        reached_at: seen.reached_at(ix),
    });
    let attributes = definition.attributes.entries().filter_map(|(ix, attribute)| {
        let value = seen.attribute(ix)?;
        Some((attribute.name.to_string(), json_of(value)))
    });
    UserBody {
        user_id: id.to_string(),
        product: definition.product.to_string(),
        merged_into: view.kin.merged.as_ref().map(|merged| merged.into.to_string()),
        merged_from: view.kin.absorbed.iter().map(UserId::to_string).collect(),
        group: view.group,
        holdout: view.group == Group::Holdout,
        at: view.now,
        first_seen_at: profile.first_seen,
        last_seen_at: profile.last_seen,
        signup_at: profile.signup,
        activated_at: view.activated_at,
        events: profile.events,
        attributes: attributes.collect(),
        milestones: milestones.collect(),
        last_error: (profile.last_error.as_ref())
            .map(|(name, at)| LastErrorBody { name: name.to_string(), at: *at }),
        sessions: SessionsBody {
            count: profile.sessions.count,
            started_at: profile.sessions.started,
        },
        contact: contact_body(&profile.contact),
        decisions: view.decisions.iter().map(summary).collect(),
    }
}

fn json_of(scalar: &Scalar) -> serde_json::Value {
    match scalar {
        Scalar::Bool(flag) => (*flag).into(),
        Scalar::Number(number) => (*number).into(),
        Scalar::Text(text) => (**text).into(),
    }
}

fn contact_body(contact: &ContactLedger) -> ContactBody {
    let guides = contact.guides.iter().map(|(id, guide)| GuideContactBody {
        id: id.to_string(),
        shows: guide.shows,
        clicks: guide.clicks,
        dismissals: guide.dismissals,
        last_shown_at: guide.last_shown,
    });
    let dismissed = contact.dismissed.iter().map(|(milestone, dismissals)| DismissedBody {
        milestone: milestone.to_string(),
        count: dismissals.count,
        last_at: dismissals.last,
    });
    ContactBody {
        last_shown_at: contact.last_shown(),
        guides: guides.collect(),
        dismissed: dismissed.collect(),
    }
}

fn summary(decision: &StoredDecision) -> DecisionSummary {
    DecisionSummary {
        decision_id: decision.decision_id.to_string(),
        at: decision.at,
        outcome: decision.outcome,
        guide: decision.guide.as_ref().map(|guide| guide.id.to_string()),
        variant: decision.guide.as_ref().map(|guide| guide.variant.to_string()),
        reason: decision.reason,
    }
}

fn timeline_body(page: TimelinePage) -> TimelineBody {
    let items = page.items.into_iter().map(|(_, item)| match item {
        TimelineItem::Event(event) => ItemBody::Event(EventItem::from(*event)),
        TimelineItem::Decision(decision) => ItemBody::Decision(summary(&decision)),
        TimelineItem::Outcome { outcome, decision, event } => ItemBody::Outcome(OutcomeItem {
            decision_id: decision.to_string(),
            outcome: match outcome {
                GuideOutcome::Shown => OutcomeKind::Shown,
                GuideOutcome::Clicked => OutcomeKind::Clicked,
                GuideOutcome::Dismissed => OutcomeKind::Dismissed,
            },
            event: EventItem::from(*event),
        }),
        TimelineItem::Named { named, received_at } => {
            ItemBody::Merge(MergeItem::named(*named, received_at))
        }
        TimelineItem::Carried { carried, received_at } => {
            ItemBody::Merge(MergeItem::carried(*carried, received_at))
        }
    });
    TimelineBody {
        items: items.collect(),
        next: page.next.map(|position| format!("{:x}", position.0)),
    }
}
