//! Providers behind certificates of an authority that only some know. Must not let a stranger read a request.

use std::sync::Arc;

use pilotage_adapters::model::{HttpModel, Options};
use pilotage_engine::port::model::{Model, ModelError};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::asking::{PATIENCE, options, request};
use crate::server::{Does, Server, ok};

/// An authority of our own.
struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self { certificate: params.self_signed(&key).expect("a certificate"), key }
    }

    fn pem(&self) -> Vec<u8> {
        self.certificate.pem().into_bytes()
    }

    /// A server's end, for this name.
    fn vouches_for(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let leaf = params.signed_by(&key, &self.certificate, &self.key).expect("a certificate");
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], secret)
            .expect("a certificate with its key");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Asks a server that this one vouches for under that name, trusting these authorities.
async fn asked(
    name: &str,
    vouching: &Authority,
    trusted: Option<Vec<u8>>,
) -> Result<u16, ModelError> {
    let tls = vouching.vouches_for(name);
    let mut server = Server::start_behind(Some(tls), Does::Writes(ok(b"{}"))).await;
    let base = format!("https://localhost:{}/v1", server.address.port());
    let model = HttpModel::new(&Options { authorities: trusted, ..options(&base) });
    let asked = model.expect("a client").ask(request(), PATIENCE).await;
    let has_arrived = server.arrived.try_recv().is_ok();
    assert_eq!(has_arrived, asked.is_ok(), "a stranger has read it");
    asked.map(|raw| raw.status)
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_named() {
    let authority = Authority::new();
    assert_eq!(asked("localhost", &authority, Some(authority.pem())).await, Ok(200));
    let both = [Authority::new().pem(), authority.pem()].concat();
    assert_eq!(asked("localhost", &authority, Some(both)).await, Ok(200));
}

#[tokio::test]
async fn strangers_get_nothing() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let none = Err(ModelError::NoConnection);
    assert_eq!(asked("localhost", &stranger, None).await, none);
    assert_eq!(asked("localhost", &stranger, Some(authority.pem())).await, none);
    assert_eq!(asked("elsewhere.invalid", &authority, Some(authority.pem())).await, none);
}
