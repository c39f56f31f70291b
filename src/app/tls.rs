//! TLS on a second address: the server's own certificate, and the certificates of stations that prove themselves by one
//! (OCPP security profiles 2 and 3).

use std::any::Any;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use anyhow::{Context as _, Result};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, ResolvesServerCert, ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::config::Tls;
use crate::gateway::authority::Authority;
use crate::http::headers::{OverTls, ShownCertificate};
use clock::SharedClock;

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = || -> Result<Vec<_>> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)?.collect();
        let all = all?;
        anyhow::ensure!(!all.is_empty(), "there is no certificate in it");
        Ok(all)
    };
    read().with_context(|| format!("{} cannot be used", path.display()))
}

/// How often it is looked whether the files of certificates are others.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What is read of the files of `[tls]`.
#[derive(Debug, Clone)]
struct Material {
    key: Arc<CertifiedKey>,
    /// Judges the certificates of stations, where somebody may sign them.
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

impl Material {
    fn read(tls: &Tls) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::from_pem_file(&tls.key)
            .with_context(|| format!("tls.key = {} cannot be used", tls.key.display()))?;
        let key = CertifiedKey::from_der(certificates(&tls.certificate)?, key, &provider)
            .context("tls.certificate and tls.key do not fit together")?;
        let clients = if tls.client_ca.as_os_str().is_empty() {
            None
        } else {
            let mut roots = RootCertStore::empty();
            for root in certificates(&tls.client_ca)? {
                roots.add(root).with_context(|| format!("tls.client_ca = {}", tls.client_ca.display()))?;
            }
            // Stations of the other profiles connect here too: who must show a certificate is decided by station.
            let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier: Arc<dyn ClientCertVerifier> = builder.allow_unauthenticated().build()?;
            Some(verifier)
        };
        Ok(Self { key: Arc::new(key), clients })
    }
}

/// The certificates that handshakes use now, which are read again when their files change.
#[derive(Debug)]
pub struct Certificates {
    tls: Tls,
    current: RwLock<Material>,
    /// Sessions that clients may resume. They are dropped with the certificates: a session is not judged again.
    sessions: RwLock<Arc<ServerSessionMemoryCache>>,
}

/// Sessions that are kept to be resumed, as many as in rustls unless it is set.
const SESSIONS: usize = 256;

impl Certificates {
    /// Reads them, where there is an address that speaks TLS.
    pub fn open(tls: &Tls) -> Result<Option<Arc<Self>>> {
        if tls.listen.is_empty() {
            return Ok(None);
        }
        let current = Material::read(tls)?;
        note_expiry(&current);
        let sessions = RwLock::new(ServerSessionMemoryCache::new(SESSIONS));
        Ok(Some(Arc::new(Self { tls: tls.clone(), current: RwLock::new(current), sessions })))
    }

    /// How the second address speaks TLS.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = match self.clients() {
            Some(_) => builder.with_client_cert_verifier(Arc::new(Clients(Arc::clone(self)))),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::<Self>::clone(self));
        config.session_storage = Arc::new(Sessions(Arc::clone(self)));
        Ok(config)
    }

    fn clients(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clients.clone()
    }

    fn sessions(&self) -> Arc<ServerSessionMemoryCache> {
        Arc::clone(&self.sessions.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again. Where something is wrong with them, the certificates from before stay.
    fn reload(&self) {
        match Material::read(&self.tls) {
            Ok(material) => {
                note_expiry(&material);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = material;
                let none = ServerSessionMemoryCache::new(SESSIONS);
                *self.sessions.write().unwrap_or_else(PoisonError::into_inner) = none;
                tracing::info!("the certificates of [tls] were read again, and are used for new connections");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the files of [tls] cannot be used; the certificates from before stay");
            }
        }
    }

    /// What its files have, to see whether they changed. The key is not kept in another place.
    fn digests(&self) -> [Option<[u8; 32]>; 3] {
        [&self.tls.certificate, &self.tls.key, &self.tls.client_ca]
            .map(|path| std::fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into()))
    }
}

/// The server's certificate and those above it, where all files of `[tls]` can be used.
pub fn chain(tls: &Tls) -> Result<Vec<CertificateDer<'static>>> {
    Ok(Material::read(tls)?.key.cert.clone())
}

/// Has SIGHUP no longer end the process, where it will mean that certificates are read again; before anything that takes time.
pub fn expect_hangup(tls: &Tls) -> Result<()> {
    if !tls.listen.is_empty() || !std::io::stdin().is_terminal() {
        drop(signal(SignalKind::hangup())?); // whoever listened once keeps the signal from its usual end
    }
    Ok(())
}

/// Reads the certificates again when the process gets SIGHUP, and when their files have changed. Without certificates the signal, which
/// would end the process, does nothing; but at a terminal, where it says that the terminal is gone.
pub fn keep_fresh(certificates: Option<Arc<Certificates>>, clock: &SharedClock) -> Result<Option<JoinHandle<()>>> {
    if certificates.is_none() && std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut hangup = signal(SignalKind::hangup())?;
    let Some(certificates) = certificates else {
        return Ok(Some(tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                tracing::info!("asked to read certificates again, but no address speaks TLS");
            }
        })));
    };
    let mut ticks = clock.ticks(LOOK_EVERY);
    Ok(Some(tokio::spawn(async move {
        let mut seen = certificates.digests();
        loop {
            let asked = tokio::select! {
                asked = hangup.recv() => asked.is_some(),
                () = ticks.tick() => false,
            };
            let now = certificates.digests();
            if asked || now != seen {
                seen = now;
                certificates.reload();
            }
        }
    })))
}

/// Shows in the metrics when the server's certificate runs out.
fn note_expiry(material: &Material) {
    let own = material.key.cert.first().and_then(|own| x509_parser::parse_x509_certificate(own).ok());
    if let Some((_, own)) = own {
        #[expect(clippy::cast_precision_loss, reason = "seconds of a date are far from what is rounded")]
        let at = own.validity().not_after.timestamp() as f64;
        metrics::gauge!("evenwatt_tls_certificate_expires_timestamp_seconds").set(at);
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

/// Judges certificates of stations by the authorities of now.
#[derive(Debug)]
struct Clients(Arc<Certificates>);

impl Clients {
    fn now(&self) -> Result<Arc<dyn ClientCertVerifier>, rustls::Error> {
        self.0.clients().ok_or_else(|| rustls::Error::General("nobody may sign certificates of clients".to_owned()))
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        false
    }
    /// None: they would be those of the start.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.now()?.verify_client_cert(own, above, now)
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.now()?.verify_tls12_signature(message, certificate, signed)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.now()?.verify_tls13_signature(message, certificate, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clients().map(|clients| clients.supported_verify_schemes()).unwrap_or_default()
    }
}

/// The sessions of now.
#[derive(Debug)]
struct Sessions(Arc<Certificates>);

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.0.sessions().put(key, value)
    }
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.sessions().get(key)
    }
    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.sessions().take(key)
    }
    fn can_cache(&self) -> bool {
        true
    }
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
