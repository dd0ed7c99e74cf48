//! What a store is not opened for. Must not show a password, nor leave open what is to be done.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::shared::{Claim, Shared};
use pilotage_engine::port::store::StoreError;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Database, Options, PASSWORD, PostgresStore, cut_workers, unavailable, workers};
use crate::postgres::OpenError;

/// What opening and migrating are refused with, which is the same.
async fn refusal(options: &Options) -> String {
    let opened = PostgresStore::open(options).await.expect_err("it can't be opened");
    let migrated = PostgresStore::migrate(options).await.expect_err("it can't be migrated");
    assert_eq!(opened.to_string(), migrated.to_string());
    for text in [opened.to_string(), format!("{opened:?}")] {
        assert!(!text.contains(PASSWORD) && !text.contains("secret"), "{text}");
    }
    opened.to_string()
}

fn with(database: &Database, from: &str, to: &str) -> Options {
    let options = database.options();
    assert!(options.url.contains(from), "there is something to replace");
    Options { url: options.url.replace(from, to), ..options }
}

/// A write.
async fn claim_one(store: &PostgresStore) -> Result<Vec<Claim>, StoreError> {
    store.claim(vec![Partition(0)]).await
}

/// As in `127.0.0.1:5432`.
fn place(database: &Database) -> String {
    let url = database.options().url;
    let (_, place) = url.split_once('@').expect("a user");
    place.split_once('/').expect("a database").0.to_owned()
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let database = Database::empty();
    let text = refusal(&with(&database, &format!(":{PASSWORD}@"), ":secret@")).await;
    let (place, name) = (place(&database), &database.name);
    let expected = format!(
        "PostgreSQL at {place}/{name} can't be used: password authentication failed for user \"{name}\" (SQLSTATE 28P01)"
    );
    assert_eq!(text, expected);
    let text = refusal(&with(&database, &format!(":{PASSWORD}@"), "@")).await;
    assert!(text.contains("password"), "{text}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let database = Database::empty();
    let name = &database.name;
    let text = refusal(&with(&database, &format!("/{name}?"), "/nowhere?")).await;
    let place = place(&database);
    let expected = format!(
        "PostgreSQL at {place}/nowhere can't be used: database \"nowhere\" does not exist (SQLSTATE 3D000)"
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_database_without_our_tables_says_what_to_do() {
    let database = Database::empty();
    let refused = PostgresStore::open(&database.options()).await.expect_err("it is empty");
    assert!(matches!(refused, OpenError::Older { found: 0, .. }), "{refused:?}");
    assert!(!refused.is_retryable());
    let text = refused.to_string();
    assert!(text.contains("has schema 0") && text.ends_with("run `pilotage migrate`"), "{text}");
}

#[tokio::test]
async fn a_server_that_is_away_or_silent_is_told_in_time() {
    // Nothing listens on the port that is for everybody's use.
    let away = Options::new("postgres://me:secret@127.0.0.1:9/things");
    let text = refusal(&away).await;
    assert!(text.starts_with("PostgreSQL at 127.0.0.1:9/things can't be used: "), "{text}");
    assert!(text.contains("refused"), "{text}");
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let connect_timeout = Duration::from_millis(300);
    let address = format!("postgres://me:secret@127.0.0.1:{port}/things");
    let text = refusal(&Options { connect_timeout, ..Options::new(&address) }).await;
    let expected = "can't be used: no answer within 300ms";
    assert!(text.ends_with(expected), "{text}");
}

#[tokio::test]
async fn tls_that_is_demanded_and_not_spoken_is_told() {
    let database = Database::empty();
    let text = refusal(&with(&database, "sslmode=disable", "sslmode=require")).await;
    assert!(text.contains("can't be used: ") && text.contains("TLS"), "{text}");
    // Where it is not demanded, the server may do without.
    PostgresStore::migrate(&with(&database, "sslmode=disable", "sslmode=prefer"))
        .await
        .expect("it goes without");
}

/// Plays a server that speaks TLS for that name, and lets nobody in.
async fn play_server(listener: TcpListener, tls: TlsAcceptor) {
    loop {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut asked = [0; 8];
        if socket.read_exact(&mut asked).await.is_err() || socket.write_all(b"S").await.is_err() {
            continue;
        }
        let Ok(mut session) = tls.accept(socket).await else { continue };
        let said = b"SFATAL\0C28000\0Mnobody comes in\0\0";
        let length = (said.len() as u32 + 4).to_be_bytes();
        let message = [&b"E"[..], &length, said].concat();
        let mut begun = [0; 8];
        if session.read_exact(&mut begun).await.is_ok() {
            // That the client hears it is what the test is about.
            let _ = session.write_all(&message).await;
            let _ = session.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_the_host() {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, key_pair } =
        generate_simple_self_signed(names).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path
    };
    let trusted = file("trusted.pem", &cert.pem());
    let secret = PrivateKeyDer::Pkcs8(key_pair.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], secret)
        .expect("a certificate and its key");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut server = JoinSet::new();
    server.spawn(play_server(listener, TlsAcceptor::from(Arc::new(config))));

    let at = |host: &str, trusted: Option<PathBuf>| {
        let address = format!(
            "host={host} hostaddr=127.0.0.1 port={port} user=me password=secret dbname=d sslmode=require"
        );
        Options { trusted, ..Options::new(&address) }
    };
    let text = refusal(&at("localhost", None)).await;
    assert!(text.contains("UnknownIssuer"), "{text}");
    let text = refusal(&at("example.org", Some(trusted.clone()))).await;
    assert!(text.contains("not valid for name"), "{text}");
    let text = refusal(&at("localhost", Some(trusted))).await;
    assert!(text.ends_with("nobody comes in (SQLSTATE 28000)"), "{text}");

    for (name, content) in [("empty.pem", ""), ("torn.pem", "-----BEGIN CERTIFICATE-----\n!")] {
        let text = refusal(&at("localhost", Some(file(name, content)))).await;
        assert!(text.starts_with("the certificates in ") && text.contains(name), "{text}");
    }
    let text = refusal(&at("localhost", Some(folder.path().join("none.pem")))).await;
    assert!(text.contains("none.pem can't be read: "), "{text}");
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_told() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let name = &database.name;
    claim_one(&store).await.expect("the store claims");
    database.alter(&[&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")]);
    let text = refusal(&database.options()).await;
    assert!(text.contains("does not allow writes"), "{text}");
    // A store that is open has to connect again.
    claim_one(&store).await.expect("its sessions began before");
    operator.run(&cut_workers()).await;
    operator.until(&workers("true"), 0).await;
    for _ in 0..2 {
        unavailable(claim_one(&store).await);
    }
    database.alter(&[&format!("ALTER DATABASE {name} RESET default_transaction_read_only")]);
    claim_one(&store).await.expect("the store claims");
}

#[tokio::test]
async fn text_in_another_encoding_is_refused() {
    let database = Database::empty();
    let (name, options) = (&database.name, database.options());
    database.alter(&[
        &format!("DROP DATABASE {name}"),
        &format!("CREATE DATABASE {name} OWNER {name} TEMPLATE template0 ENCODING 'SQL_ASCII'"),
    ]);
    let text = refusal(&options).await;
    assert!(text.ends_with("has encoding SQL_ASCII; Pilotage needs UTF8"), "{text}");
}

#[tokio::test]
async fn who_may_not_make_a_schema_is_told() {
    let database = Database::empty();
    let name = &database.name;
    database.alter(&[&format!("ALTER DATABASE {name} OWNER TO CURRENT_USER")]);
    let refused = PostgresStore::migrate(&database.options()).await.expect_err("it is another's");
    assert!(matches!(refused, OpenError::Step { to: 1, .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains(&format!("permission denied for database {name}")), "{text}");
}
