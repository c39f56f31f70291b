//! Certificates that tests make: an authority, a server's certificate in files, those of stations, and requests for them.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::TestApp;

/// An authority, and a server's certificate in files.
pub struct Pki {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key");
        let ca_key = key.serialize_pem();
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let pki = Self { folder: tempfile::tempdir().expect("a folder"), authority };
        let own = KeyPair::generate().expect("a key");
        let server = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        let server = server.signed_by(&own, &pki.authority).expect("signed");
        pki.write("ca.pem", &pki.authority.pem());
        pki.write("ca.key", &ca_key);
        pki.write("server.pem", &server.pem());
        pki.write("server.key", &own.serialize_pem());
        pki
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Writes some of its files over those of another, as who renews certificates does.
    pub fn replace(&self, other: &Self, names: &[&str]) {
        for name in names {
            std::fs::copy(self.file(name), other.file(name)).expect("written");
        }
    }

    pub async fn server(&self) -> TestApp {
        TestApp::start_with(&[
            ("EVENWATT_TLS_LISTEN", "127.0.0.1:0"),
            ("EVENWATT_TLS_CERTIFICATE", &self.file("server.pem")),
            ("EVENWATT_TLS_KEY", &self.file("server.key")),
            ("EVENWATT_TLS_CLIENT_CA", &self.file("ca.pem")),
            ("EVENWATT_TLS_SIGN_CERTIFICATE", &self.file("ca.pem")),
            ("EVENWATT_TLS_SIGN_KEY", &self.file("ca.key")),
        ])
        .await
    }

    /// A station's certificate with this name, and its key.
    pub fn client(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let signed = params.signed_by(&key, &self.authority).expect("signed");
        (signed.pem(), key.serialize_pem())
    }

    /// Connects as a station with TLS and boots in this version; the answer, or why there is none.
    pub async fn boot(
        &self,
        (address, protocol): (SocketAddr, &str),
        endpoint: &str,
        identity: Option<&(String, String)>,
    ) -> Result<Value, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = CertificateDer::pem_slice_iter(chain.as_bytes());
                let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
                builder.with_client_auth_cert(chain, key).expect("fits")
            }
        };
        let tcp = tokio::net::TcpStream::connect(address).await.expect("TCP");
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
        let tls = tls.map_err(|error| error.to_string())?;
        let mut request = format!("wss://localhost/ocpp/{endpoint}").into_client_request().expect("a URL");
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().expect("a header"));
        let (mut socket, _) = client_async(request, tls).await.map_err(|error| error.to_string())?;
        let who = match protocol {
            "ocpp1.6" => json!({"chargePointVendor": "Acme", "chargePointModel": "One"}),
            _ => json!({"reason": "PowerUp",
                "chargingStation": {"vendorName": "Acme", "model": "Two"}}),
        };
        let boot = json!([2, "1", "BootNotification", who]);
        socket.send(Message::text(boot.to_string())).await.map_err(|error| error.to_string())?;
        let answer = socket.next().await.expect("an answer").map_err(|error| error.to_string())?;
        Ok(serde_json::from_str::<Value>(answer.to_text().expect("text")).expect("JSON")[2].clone())
    }
}

/// A request for a certificate of this name.
pub fn certificate_request(name: &str, key: &KeyPair) -> String {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    let request = params.serialize_request(key).expect("a request");
    request.pem().expect("PEM")
}
