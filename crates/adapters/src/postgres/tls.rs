//! How sessions are encrypted. Must not trust what has no valid certificate for its host.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::warn;

use super::OpenError;

/// Speaks TLS where the server does, and trusts the certificates in that file; without one, the system's. Where TLS is not
/// to be spoken none is read.
pub(super) fn connector(
    mode: SslMode,
    trusted: Option<&Path>,
) -> Result<MakeRustlsConnect, OpenError> {
    let roots = match (mode, trusted) {
        (SslMode::Disable, _) => RootCertStore::empty(),
        (_, Some(path)) => file(path)?,
        (_, None) => system(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn file(path: &Path) -> Result<RootCertStore, OpenError> {
    let unread = |detail: String| OpenError::Certificates { path: path.to_owned(), detail };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| unread(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unread(error.to_string()))?;
        roots.add(certificate).map_err(|error| unread(error.to_string()))?;
    }
    if roots.is_empty() { Err(unread("there is none".to_owned())) } else { Ok(roots) }
}

fn system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        warn!(%error, "a certificate of the system can't be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}
