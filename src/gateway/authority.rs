//! Signs the certificates that stations ask for (OCPP 1.6 security whitepaper, use cases A02 and A03).

use std::time::Duration;

use chrono::Datelike as _;
use rcgen::{
    CertificateSigningRequestParams, DnType, DnValue, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use kernel::{StationId, Timestamp};

/// How long a station's certificate is valid.
const VALID_FOR: Duration = Duration::from_secs(365 * 24 * 3600);
/// A station whose clock is slow finds its certificate valid.
const VALID_SINCE: Duration = Duration::from_secs(24 * 3600);

/// Comes before the id of a station.
const STATION_URI: &str = "urn:evenwatt:chargestation:";

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
        "the request is for \"{0}\", which is neither the station's endpoint nor a serial number that was entered for it alone"
    )]
    OtherName(String),
}

impl From<rcgen::Error> for NotSigned {
    fn from(error: rcgen::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What a certificate has beside its name: the station that it was signed for, so that nobody who gets its name later can be
/// taken for it.
fn station_uri(station: StationId) -> String {
    format!("{STATION_URI}{station}")
}

/// The station that stands in a URI of a certificate.
pub(super) fn station_of(uri: &str) -> Option<StationId> {
    uri.strip_prefix(STATION_URI)?.parse().ok()
}

/// Year, month and day.
fn date(at: Timestamp) -> (i32, u8, u8) {
    let date = at.to_chrono().date_naive();
    let part = |number: u32| u8::try_from(number).unwrap_or(1);
    (date.year(), part(date.month()), part(date.day()))
}

impl Authority {
    /// The authority with this certificate and key (PEM); the key as PKCS#8, PKCS#1 or SEC1.
    pub fn new(certificate: &str, key: &str) -> Result<Self, rcgen::Error> {
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        let issuer = Issuer::from_ca_cert_pem(certificate, KeyPair::try_from(&key)?)?;
        Ok(Self { issuer, certificate: certificate.to_owned() })
    }

    /// The certificate for a request (PEM) of this station under one of these names, and the authority's own below it.
    pub fn sign(
        &self,
        request: &str,
        (station, names): (StationId, &[String]),
        now: Timestamp,
    ) -> Result<String, NotSigned> {
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
        // Whatever was asked for: it proves that this station is a client, and nothing else.
        request.params.subject_alt_names = vec![SanType::URI(station_uri(station).try_into()?)];
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

    /// What is inside a key's PKCS#8: the same key in the older form of its kind, SEC1 or PKCS#1.
    fn older_form(pkcs8: &[u8], label: &str) -> String {
        // SEQUENCE { INTEGER version, SEQUENCE algorithm, OCTET STRING key }
        let (_, body, _) = element(pkcs8);
        let (_, _, rest) = element(body);
        let (_, _, rest) = element(rest);
        let (tag, inner, _) = element(rest);
        assert_eq!(tag, 4);
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(inner);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    /// Tag, content and what follows of a DER element.
    fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
        let (length, header) = match usize::from(der[1]) {
            short @ 0..=127 => (short, 2),
            long => {
                let count = long - 128;
                let length = der[2..2 + count].iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
                (length, 2 + count)
            }
        };
        (der[0], &der[header..header + length], &der[header + length..])
    }

    #[test]
    fn a_key_may_be_in_any_form_that_the_server_s_own_may_be_in() {
        let now = Timestamp::from_unix_seconds(1_777_000_000);
        let kinds = [
            (&rcgen::PKCS_ECDSA_P256_SHA256, "EC PRIVATE KEY"),
            (&rcgen::PKCS_ECDSA_P384_SHA384, "EC PRIVATE KEY"),
            (&rcgen::PKCS_RSA_SHA256, "RSA PRIVATE KEY"),
        ];
        for (kind, label) in kinds {
            let key = KeyPair::generate_for(kind).expect("a key");
            let mut params = CertificateParams::new([]).expect("parameters");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let certificate = params.self_signed(&key).expect("signed").pem();
            let older = older_form(&key.serialize_der(), label);
            for variant in [key.serialize_pem(), older] {
                let authority = Authority::new(&certificate, &variant).expect(label);
                authority.sign(&request("SN-1"), (station(), &names(&["SN-1"])), now).expect("signed");
            }
        }
        assert!(Authority::new("", "no key").is_err());
    }

    fn station() -> StationId {
        "650000000000000000000001".parse().expect("an id")
    }

    fn names(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
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
        let names = names(&["k3m9x7pa", "sn-1"]);
        let own = (station(), names.as_slice());
        let chain = authority.sign(&request("SN-1"), own, now).expect("signed");
        assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
        let other = authority.sign(&request("SN-2"), own, now);
        assert_eq!(other, Err(NotSigned::OtherName("SN-2".to_owned())));
        let nonsense = authority.sign("-----BEGIN", own, now);
        assert!(matches!(nonsense, Err(NotSigned::Unreadable(_))));
    }
}
