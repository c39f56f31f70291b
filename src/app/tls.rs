//! TLS on a second address: the server's own certificate, and the certificates of stations that prove themselves by one
//! (OCPP security profiles 2 and 3).

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use anyhow::{Context as _, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::config::Tls;
use crate::gateway::authority::Authority;
use crate::http::headers::{OverTls, ShownCertificate};

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = || -> Result<Vec<_>> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)?.collect();
        let all = all?;
        anyhow::ensure!(!all.is_empty(), "there is no certificate in it");
        Ok(all)
    };
    read().with_context(|| format!("{} cannot be used", path.display()))
}

/// How the second address speaks TLS.
pub fn server_config(tls: &Tls) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .with_context(|| format!("tls.key = {} cannot be used", tls.key.display()))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = if tls.client_ca.as_os_str().is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        for root in certificates(&tls.client_ca)? {
            roots.add(root)?;
        }
        // Stations of the other profiles connect here too: who must show a certificate is decided by station.
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated().build()?;
        builder.with_client_cert_verifier(verifier)
    };
    builder
        .with_single_cert(certificates(&tls.certificate)?, key)
        .context("tls.certificate and tls.key do not fit together")
}

/// Who signs the certificates of stations, where that is configured.
pub fn authority(tls: &Tls) -> Result<Option<Arc<Authority>>> {
    if tls.sign_certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let read =
        |path: &Path| std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()));
    let authority = Authority::new(&read(&tls.sign_certificate)?, &read(&tls.sign_key)?)
        .context("tls.sign_certificate and tls.sign_key cannot be used")?;
    Ok(Some(Arc::new(authority)))
}

/// Notes that a connection has TLS, and the certificate that its client showed, for the handlers of its requests.
pub fn note_certificate(io: &dyn Any, extensions: &mut Extensions) {
    let Some(stream) = io.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    extensions.insert(OverTls);
    let shown = stream.get_ref().1.peer_certificates();
    let own = shown.and_then(|chain| chain.first());
    if let Some(own) = own {
        extensions.insert(ShownCertificate(own.as_ref().into()));
    }
}
