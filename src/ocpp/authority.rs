//! Signs the certificates that stations ask for (OCPP 1.6 security whitepaper, use cases A02 and A03).

use std::time::Duration;

use chrono::Datelike as _;
use rcgen::{
    CertificateSigningRequestParams, DnType, DnValue, ExtendedKeyUsagePurpose, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use crate::kernel::Timestamp;

/// How long a station's certificate is valid.
const VALID_FOR: Duration = Duration::from_secs(365 * 24 * 3600);
/// A station whose clock is slow finds its certificate valid.
const VALID_SINCE: Duration = Duration::from_secs(24 * 3600);

/// A certificate authority: its certificate and its private key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// Why a request is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// It is no request, or not signed by its own key.
    #[error("the request cannot be read: {0}")]
    Unreadable(String),
    /// It asks for somebody else's name.
    #[error(
        "the request is for \"{0}\", which is neither the station's endpoint nor its serial number"
    )]
    OtherName(String),
}

impl From<rcgen::Error> for NotSigned {
    fn from(error: rcgen::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Year, month and day.
fn date(at: Timestamp) -> (i32, u8, u8) {
    let date = at.to_chrono().date_naive();
    let part = |number: u32| u8::try_from(number).unwrap_or(1);
    (date.year(), part(date.month()), part(date.day()))
}

impl Authority {
    /// The authority with this certificate and key (PEM).
    pub fn new(certificate: &str, key: &str) -> Result<Self, rcgen::Error> {
        let issuer = Issuer::from_ca_cert_pem(certificate, KeyPair::from_pem(key)?)?;
        Ok(Self {
            issuer,
            certificate: certificate.to_owned(),
        })
    }

    /// The certificate for a request (PEM) under one of these names, and the authority's own below it.
    pub fn sign(&self, request: &str, names: &[&str], now: Timestamp) -> Result<String, NotSigned> {
        let mut request = CertificateSigningRequestParams::from_pem(request)?;
        let name = match request.params.distinguished_name.get(&DnType::CommonName) {
            Some(DnValue::Utf8String(text)) => text.clone(),
            Some(DnValue::PrintableString(text)) => text.as_str().to_owned(),
            _ => String::new(),
        };
        if !names.iter().any(|own| own.eq_ignore_ascii_case(&name)) {
            return Err(NotSigned::OtherName(name));
        }
        let (year, month, day) = date(now - VALID_SINCE);
        request.params.not_before = date_time_ymd(year, month, day);
        let (year, month, day) = date(now + VALID_FOR);
        request.params.not_after = date_time_ymd(year, month, day);
        // Whatever was asked for: it proves a client, and nothing else.
        request.params.subject_alt_names.clear();
        request.params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.params.is_ca = rcgen::IsCa::ExplicitNoCa;
        let signed = request.signed_by(&self.issuer)?;
        Ok(format!("{}{}", signed.pem(), self.certificate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa};

    fn authority() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("signed");
        Authority::new(&certificate.pem(), &key.serialize_pem()).expect("an authority")
    }

    fn request(name: &str) -> String {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        let request = params.serialize_request(&key).expect("a request");
        request.pem().expect("PEM")
    }

    #[test]
    fn only_the_station_itself_gets_a_certificate() {
        let (authority, now) = (authority(), Timestamp::from_unix_seconds(1_777_000_000));
        let chain = authority
            .sign(&request("SN-1"), &["k3m9x7pa", "sn-1"], now)
            .expect("signed");
        assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
        let other = authority.sign(&request("SN-2"), &["k3m9x7pa", "SN-1"], now);
        assert_eq!(other, Err(NotSigned::OtherName("SN-2".to_owned())));
        let nonsense = authority.sign("-----BEGIN", &["a"], now);
        assert!(matches!(nonsense, Err(NotSigned::Unreadable(_))));
    }
}
