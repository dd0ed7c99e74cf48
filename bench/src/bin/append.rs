//! Batch ingest through the engine beside raw SQLite appends of the same bytes, in turn, on the same disk. Must give both
//! the same durability: WAL, `synchronous=FULL`, one commit a batch.

use std::path::Path;
use std::time::Instant;

use pilotage_bench::{engine, event, first_event, mix, product};
use pilotage_domain::id::EventId;
use pilotage_domain::time::Timestamp;
use pilotage_wire::record;

const BATCH: u64 = 2_500;
const BATCHES: u64 = 80;
/// Callers that send batches at the same time; each waits for its answers.
const CALLERS: u64 = 4;

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).expect("append FOLDER");
    let folder = Path::new(&folder);
    println!("events/s in batches of {BATCH}, {} events a run", BATCH * BATCHES);
    for run in 1..=3 {
        let raw = raw(&folder.join(format!("raw-{run}.sqlite")));
        let ours = ours(&folder.join(format!("engine-{run}"))).await;
        println!("run {run}: raw SQLite {raw:>9.0}   engine {ours:>9.0}   ratio {:.2}", ours / raw);
    }
}

fn raw(file: &Path) -> f64 {
    let mut connection = rusqlite::Connection::open(file).expect("opens");
    connection.pragma_update(None, "journal_mode", "wal").expect("WAL");
    connection.pragma_update(None, "synchronous", "full").expect("FULL");
    connection
        .execute_batch("create table entry(position integer primary key, body blob not null)")
        .expect("a table");
    let bodies: Vec<Vec<u8>> = (0..BATCH).map(stored).collect();
    let start = Instant::now();
    for _ in 0..BATCHES {
        let transaction = connection.transaction().expect("begins");
        {
            let mut insert = transaction
                .prepare_cached("insert into entry(body) values (?1)")
                .expect("prepares");
            for body in &bodies {
                insert.execute([body]).expect("inserts");
            }
        }
        transaction.commit().expect("commits");
    }
    (BATCH * BATCHES) as f64 / start.elapsed().as_secs_f64()
}

/// The bytes that the engine would store.
fn stored(n: u64) -> Vec<u8> {
    let id = EventId::new(&format!("evt_{:032x}", mix(n))).expect("valid");
    record::event::encode(&product(), &id, &event(n), Timestamp::from_millis(1_795_348_800_000))
}

async fn ours(folder: &Path) -> f64 {
    let engine = engine(folder, 1_024).await;
    let warm: Vec<_> = (0..BATCH).map(first_event).collect();
    engine.ingest(&product(), warm).await.expect("taken");
    let start = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let engine = engine.clone();
        callers.spawn(async move {
            for _ in 0..BATCHES / CALLERS {
                let events = (0..BATCH).map(event).collect();
                engine.ingest(&product(), events).await.expect("taken");
            }
        });
    }
    callers.join_all().await;
    let rate = (BATCH * BATCHES) as f64 / start.elapsed().as_secs_f64();
    engine.close().await;
    rate
}
