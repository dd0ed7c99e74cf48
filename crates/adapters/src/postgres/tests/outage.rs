//! A server that goes in the middle of a commit, has no room, or stands still. What was answered for must stay, and what was
//! not must be there whole or not at all. Each test has a server to itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pilotage_engine::port::shared::{Change, Claim, FoldError, Shared};
use pilotage_engine::port::store::{Store, StoreError};

use super::stack::Stack;
use super::{
    Database, Operator, Options, PostgresStore, body, claim, is_stored, key, one_record,
    unavailable, until_waiting, workers,
};

/// Takes partition 0 over once the server lets us, as a worker does. Of the sessions from before, each may say once that it
/// is gone.
async fn claim_again(store: &PostgresStore) -> Claim {
    for _ in 0..6 {
        match store.claim(vec![pilotage_engine::port::feed::Partition(0)]).await {
            Ok(claims) => return claims[0],
            Err(error) => drop(unavailable::<()>(Err(error))),
        }
    }
    claim(store, 0).await
}

/// Has every commit that adds a name wait, before it is written down, for a lock that somebody else has.
const WAIT_IN_COMMIT: [&str; 2] = [
    "SELECT pg_advisory_lock(7)",
    "CREATE FUNCTION pilotage.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(7);
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON pilotage.names
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pilotage.wait()",
];

/// The server goes before the commit is written down: nothing of it is there, and the retry is the only effect.
async fn crash_before_the_commit(stack: &Stack, database: &Database, store: &PostgresStore) {
    let (holder, operator) = (database.operator().await, database.operator().await);
    for statements in WAIT_IN_COMMIT {
        holder.run(statements).await;
    }
    let mine = claim(store, 0).await;
    let mut fold = store.fold(one_record(&mine, 0, "u"));
    until_waiting(&mut fold, &operator, 1).await;
    assert_eq!(operator.number(&workers("query = 'COMMIT' AND wait_event = 'advisory'")).await, 1);
    stack.order("stop --how crash");
    unavailable(fold.await);
    unavailable(store.load(vec![key("u")]).await);
    assert!(!store.healthy());
    stack.order("start");
    let again = claim_again(store).await;
    assert_eq!((again.epoch, again.applied), (mine.epoch + 1, mine.applied));
    assert!(!is_stored(store, &again, 0, "u").await);
    store.fold(one_record(&again, 0, "u")).await.expect("nobody has the lock any more");
    assert!(is_stored(store, &again, 0, "u").await);
    database.operator().await.run("DROP TRIGGER wait ON pilotage.names").await;
}

/// The server goes once the commit is written down, before it says so: all of it is there, and a retry has no effect.
async fn crash_after_the_commit(stack: &Stack, database: &Database, store: &PostgresStore) {
    let operator = database.superuser().await;
    let mine = claim(store, 0).await;
    // A standby that does not exist has to confirm what is committed.
    operator.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    operator.run("SELECT pg_reload_conf()").await;
    let (mut offset, standby) = (1, workers("wait_event = 'SyncRep'"));
    let in_doubt = loop {
        // The server reads its settings when it comes to it: those of before may be confirmed still.
        let mut fold = store.fold(one_record(&mine, offset, "u"));
        tokio::select! {
            done = &mut fold => drop(done.expect("the store folds")),
            () = operator.until(&standby, 1) => break fold,
        }
        offset += 1;
    };
    // For the next start.
    operator.run("ALTER SYSTEM RESET synchronous_standby_names").await;
    stack.order("stop --how crash");
    unavailable(in_doubt.await);
    stack.order("start");
    let again = claim_again(store).await;
    assert_eq!(Some(again.applied), mine.partition.position(offset), "the claim knows of it");
    assert!(is_stored(store, &again, offset, "u").await);
    // Whoever does not ask is refused, whole.
    let twice = store.fold(one_record(&again, offset, "u")).await;
    assert!(matches!(twice, Err(FoldError::Store(StoreError::Damaged(_)))), "{twice:?}");
    assert!(is_stored(store, &again, offset, "u").await);
    let operator = database.operator().await;
    let names = operator.number("SELECT count(*) FROM pilotage.names").await;
    assert_eq!(names, offset as i64 + 1, "one effect each");
    store.fold(one_record(&again, offset + 1, "u")).await.expect("the store folds");
}

/// The server is shut down in order and comes back: nobody has to do anything.
async fn stop_and_start(stack: &Stack, store: &PostgresStore) {
    let mut changes = store.changes();
    let before = body(store, "u").await;
    stack.order("stop");
    for _ in 0..2 {
        unavailable(store.load(vec![key("u")]).await);
    }
    assert!(!store.healthy());
    stack.order("start");
    // Nobody calls: who listens finds out, and says that something may have been missed.
    let told = async { while changes.recv().await != Ok(Change::All) {} };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("it is told in time");
    while !store.healthy() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(body(store, "u").await, before);
}

#[tokio::test]
async fn a_fold_is_there_whole_or_not_at_all_whenever_the_server_goes() {
    let stack = Stack::hold("adapters-postgres-restart");
    let database = Database::on(stack.server()).migrated();
    let store = database.open().await;
    crash_before_the_commit(&stack, &database, &store).await;
    crash_after_the_commit(&stack, &database, &store).await;
    stop_and_start(&stack, &store).await;
    store.close().await;
}

/// Has every session close the files of tables: the end of a database does that.
async fn close_files(operator: &Operator) {
    operator.run("CREATE DATABASE passing").await;
    operator.run("DROP DATABASE passing").await;
}

/// A table's file leads to a device that is always full: the system's own refusal, met by the server's own means. (That the
/// log of the server itself finds no room is its end, as in the test above.)
#[tokio::test]
async fn a_disk_that_is_full_is_told_and_loses_nothing() {
    let stack = Stack::hold("adapters-postgres-full");
    let database = Database::on(stack.server()).migrated();
    let (store, operator) = (database.open().await, database.superuser().await);
    let mine = claim(&store, 0).await;
    let path = "SELECT pg_relation_filepath('pilotage.names')";
    let path: String = operator.client.query_one(path, &[]).await.expect("a table").get(0);
    let file: PathBuf = stack.data().join(path);
    let aside = file.with_extension("aside");
    // Nobody is to write to it, or have it written to the disk, but the fold.
    operator.run("CHECKPOINT").await;
    fs::rename(&file, &aside).expect("it is ours");
    symlink("/dev/full", &file).expect("it is ours");
    close_files(&operator).await;

    for _ in 0..2 {
        let text = unavailable(store.fold(one_record(&mine, 0, "u")).await);
        assert!(text.contains("No space left on device (SQLSTATE 53100)"), "{text}");
        // What needs no room goes on.
        assert_eq!(body(&store, "u").await, None);
        assert_eq!(store.applied().await.expect("the store reads")[&mine.partition], mine.applied);
    }
    fs::remove_file(&file).expect("it is ours");
    fs::rename(&aside, &file).expect("it is ours");
    close_files(&operator).await;
    store.fold(one_record(&mine, 0, "u")).await.expect("there is room");
    assert!(is_stored(&store, &mine, 0, "u").await);
    assert!(store.healthy());
    store.close().await;
}

/// A process that stands still; it goes on when this is dropped.
struct Stopped(i64);

impl Stopped {
    fn new(pid: i64) -> Self {
        signal("STOP", pid);
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("CONT", self.0);
    }
}

fn signal(name: &str, pid: i64) {
    let kill = format!("kill -{name} {pid}");
    let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
    assert!(status.success(), "{kill}");
}

#[tokio::test]
async fn a_session_whose_server_does_nothing_is_given_up_in_time() {
    let stack = Stack::hold("adapters-postgres-still");
    let database = Database::on(stack.server()).migrated();
    let statement_timeout = Duration::from_millis(500);
    let options = Options { connections: 1, statement_timeout, ..database.options() };
    let store = PostgresStore::open(&options).await.expect("the store opens");
    let operator = database.operator().await;
    let mine = claim(&store, 0).await;
    let pid = operator.number(&workers("true").replace("count(*)", "pid::bigint")).await;
    let stopped = Stopped::new(pid);
    let text = unavailable(store.fold(one_record(&mine, 0, "u")).await);
    assert_eq!(text, "no answer within 1s");
    // The one connection is another now.
    store.fold(one_record(&mine, 0, "u")).await.expect("the store folds");
    assert!(is_stored(&store, &mine, 0, "u").await);
    // Awake again, the session finds that nobody is there, and has no effect.
    drop(stopped);
    operator.until(&workers(&format!("pid = {pid}")), 0).await;
    assert!(is_stored(&store, &mine, 0, "u").await);
    store.close().await;
}
