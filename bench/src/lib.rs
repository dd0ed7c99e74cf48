//! What the yardsticks share: a clock, an engine over a data folder, synthetic events. Must not measure anything itself.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pilotage_adapters::sqlite;
use pilotage_domain::event::EventContext;
use pilotage_domain::id::{ProductId, SessionId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::memory::SeededEntropy;
use pilotage_engine::port::clock::Clock;
use pilotage_engine::{Engine, Options, Parts, ProductSource};
use pilotage_wire::event::IncomingEvent;
use serde_json::value::RawValue;

/// Every program of the yardsticks has the allocator that the product has, so that it makes no difference.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The machine's clock.
pub struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(since.as_millis() as i64)
    }
}

/// A product whose users carry eight texts: a kilobyte of facts.
pub const DEFINITION: &str = "
format: 1
product: bench
version: 1
userId: any
attributes:
  a1: { type: text }
  a2: { type: text }
  a3: { type: text }
  a4: { type: text }
  a5: { type: text }
  a6: { type: text }
  a7: { type: text }
  a8: { type: text }
journey:
  activation: looked
  milestones:
    - id: looked
      name: Looked around
      reached: { event: page_view, count: 1000 }
    - id: stuck
      name: Got stuck
      reached: { event: button_click, where: { id: never } }
      blocked: { event: form_submit, where: { ok: false }, count: 2, within: 7d }
routes:
  home: { path: / }
targets:
  page: { route: '*' }
guides:
  - id: look
    about: Look around.
    serves: looked
    intent: activate
    target: page
    component: banner
    action: { route: home }
    variants:
      - id: plain
        copy: { en: { title: Look around, cta: Home } }
";

/// The bench product's name.
pub fn product() -> ProductId {
    ProductId::new("bench").expect("valid")
}

/// An engine over the data folder that keeps `users_mb` MiB of users in memory.
pub async fn engine(folder: &Path, users_mb: usize) -> Engine {
    let embedded = sqlite::open(folder, &sqlite::Options::default()).expect("the folder opens");
    let checked = pilotage_wire::yaml::load(DEFINITION).expect("the definition is valid");
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
    let parts = Parts {
        log: embedded.log,
        store: embedded.store,
        clock: Arc::new(Wall),
        entropy: Arc::new(SeededEntropy::new(seed)),
        products: vec![ProductSource {
            definition: checked.definition,
            text: DEFINITION.to_owned(),
        }],
        options: Options {
            users_bytes: users_mb << 20,
            // Longer than it takes to gather as many records as a restart should have to fold again.
            write_back_every: Duration::from_secs(60),
            ..Options::default()
        },
    };
    Engine::open(parts).await.expect("the engine opens")
}

/// A user's ordinary event: about 100 bytes of payload.
pub fn event(user: u64) -> IncomingEvent {
    let payload = format!(
        r#"{{"path":"/projects/{user}","referrer":"/home","title":"Projects of the week","ok":true,"n":{user}}}"#
    );
    IncomingEvent {
        id: None,
        user: UserId::new(&format!("user-{user:08}")).expect("valid"),
        session: SessionId::new("session-1").expect("valid"),
        kind: "page_view".into(),
        claimed: None,
        anonymous: None,
        attributes: None,
        context: EventContext::default(),
        payload: RawValue::from_string(payload).ok(),
        api_version: None,
        trace_parent: None,
    }
}

/// A user's first event, with a kilobyte of attributes.
pub fn first_event(user: u64) -> IncomingEvent {
    let members: Vec<String> = (1..=8)
        .map(|n| format!(r#""a{n}":"{}""#, format!("{:016x}", mix(user * 8 + n)).repeat(8)))
        .collect();
    let attributes = RawValue::from_string(format!("{{{}}}", members.join(","))).ok();
    IncomingEvent { attributes, ..event(user) }
}

/// The next number of a sequence that looks random (the finaliser of SplitMix64).
pub fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Resident memory of this process, in MiB.
pub fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}
