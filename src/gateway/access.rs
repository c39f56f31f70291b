//! The handshake: which station connects, and whether it may.
//!
//! Real chargers write URLs in odd ways, so the station is named by the last segment of the path that is not empty,
//! whatever stands before it, with percent-encoding undone once and letter case ignored.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{HttpMessage as _, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;

use super::authority::station_of;
use crate::http::headers::{OverTls, ShownCertificate};
use crate::http::was_encrypted;
use crate::sites::stations::{self, SecurityType, Station};
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, StationId};

/// Whose station an endpoint is.
pub type Owner = (OrganizationId, StationId);

/// Why a station may not connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No station has this endpoint.
    Unknown,
    /// It is switched off or discarded.
    Inactive,
    /// It must come with TLS, and did not.
    Unencrypted,
    /// It did not prove who it is.
    Unproven,
}

/// A station that is let in.
#[derive(Debug)]
pub struct Admitted {
    /// Which one.
    pub station: Station,
    /// The pending password that it came with, as it is stored: it has taken that over.
    pub took_over: Option<String>,
}

/// A station that is not let in.
#[derive(Debug, Clone, Copy)]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// Whose station was meant, where there is one.
    pub owner: Option<Owner>,
}

/// What a station shows of itself at the handshake.
#[derive(Debug)]
pub struct Shown {
    /// The password in `Authorization`, where the user is the endpoint.
    password: Option<Vec<u8>>,
    certificate: Option<ClientCertificate>,
    /// Whether nobody on the way could read it.
    encrypted: bool,
}

impl Shown {
    /// What a request for this endpoint shows.
    pub fn by(request: &HttpRequest, endpoint: &str) -> Self {
        let here = request.conn_data::<ShownCertificate>().cloned();
        let shown = here.or_else(|| request.extensions().get::<ShownCertificate>().cloned());
        Self {
            password: password_of(request.headers(), endpoint),
            certificate: shown.and_then(|ShownCertificate(der)| ClientCertificate::from_der(&der)),
            encrypted: request.conn_data::<OverTls>().is_some() || was_encrypted(request),
        }
    }

    /// Stands for what is shown at an endpoint; who does not know the key learns nothing of it.
    pub(super) fn digest(&self, key: &[u8; 32], endpoint: &str) -> [u8; 16] {
        let name = self.certificate.as_ref().map(|shown| &shown.common_name);
        let parts = [Some(endpoint.as_bytes()), self.password.as_deref(), name.map(|name| name.as_bytes())];
        let mut digest = Sha256::new_with_prefix(key);
        for part in parts {
            digest.update(part.map_or(0, |part| part.len() + 1).to_be_bytes());
            digest.update(part.unwrap_or_default());
        }
        let mut short = [0; 16];
        for (byte, of) in short.iter_mut().zip(digest.finalize()) {
            *byte = of;
        }
        short
    }
}

#[cfg(test)]
impl Shown {
    pub(super) fn password(password: &str) -> Self {
        Self { password: Some(password.into()), certificate: None, encrypted: false }
    }
}

/// The certificate that a client showed, and that one of our authorities signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Whom it names.
    common_name: String,
    /// For which station it was signed here, where it was.
    signed_for: Option<StationId>,
}

impl ClientCertificate {
    /// Reads it; `None` when it names nobody.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        let mut names = certificate.subject().iter_common_name();
        let common_name = names.next()?.as_str().ok()?.to_owned();
        let others = certificate.subject_alternative_name().ok().flatten();
        let mut others = others.into_iter().flat_map(|one| &one.value.general_names);
        let signed_for = others.find_map(|name| match name {
            GeneralName::URI(uri) => station_of(uri),
            _ => None,
        });
        Some(Self { common_name, signed_for })
    }

    fn names(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.common_name)
    }

    /// Whether it proves this station. One that was signed here is of the station that it was signed for, by whatever name others
    /// go since; one of another authority says no more than a name, which must be that of this station alone.
    fn is_of(&self, conn: &mut Conn, station: &Station) -> StoreResult<bool> {
        if let Some(id) = self.signed_for {
            return Ok(id == station.id && station.entered_names().any(|name| self.names(name)));
        }
        let names = stations::certificate_names(conn, station)?;
        Ok(names.iter().any(|name| self.names(name)))
    }
}

/// The endpoint a path ends in.
pub fn endpoint_of(path: &str) -> Option<String> {
    let segment = path.rsplit('/').find(|segment| !segment.is_empty())?;
    let decoded = percent_decoded(segment)?;
    let endpoint = decoded.trim();
    let plain = !endpoint.is_empty() && endpoint.len() <= 64 && endpoint.chars().all(|c| c.is_ascii_graphic());
    plain.then(|| endpoint.to_lowercase())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let [decoded] = hex::decode(digits).ok()?.try_into().ok()?;
            bytes.push(decoded);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The password of HTTP Basic, where the user is this endpoint; passwords may be any bytes.
fn password_of(headers: &HeaderMap, endpoint: &str) -> Option<Vec<u8>> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    let credentials = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok())??;
    // By the length of the endpoint, not by the first colon: an endpoint may have one.
    let (user, rest) = credentials.split_at_checked(endpoint.len())?;
    let password = rest.strip_prefix(b":")?;
    user.eq_ignore_ascii_case(endpoint.as_bytes()).then(|| password.to_vec())
}

/// The station that connects here, if it may.
pub fn admit(conn: &mut Conn, endpoint: &str, shown: &Shown) -> StoreResult<Result<Admitted, Refused>> {
    let refused = |why, owner| Ok(Err(Refused { why, owner }));
    let Some(station) = stations::find_by_endpoint(conn, endpoint)? else {
        return refused(Refusal::Unknown, None);
    };
    let owner = Some((station.organization_id, station.id));
    if !station.may_connect() {
        return refused(Refusal::Inactive, owner);
    }
    if station.needs_tls() && !shown.encrypted {
        return refused(Refusal::Unencrypted, owner);
    }
    let password = shown.password.as_deref();
    let pending = password.and_then(|password| station.pending_password(password));
    let pending = pending.map(str::to_owned);
    let proven = match station.security_type {
        SecurityType::None => true,
        SecurityType::BasicAuth if pending.is_some() => true,
        SecurityType::BasicAuth => password.is_some_and(|password| stations::password_matches(&station, password)),
        SecurityType::ClientCertificate => match &shown.certificate {
            Some(certificate) => certificate.is_of(conn, &station)?,
            None => false,
        },
    };
    match proven {
        true => Ok(Ok(Admitted { station, took_over: pending })),
        false => refused(Refusal::Unproven, owner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_names_the_station() {
        for path in ["/ocpp/k3m9", "//ocpp//K3M9/", "/ocpp/4/CBI-77/k3m9", "/ocpp/k3%6D9"] {
            assert_eq!(endpoint_of(path).as_deref(), Some("k3m9"), "{path}");
        }
        for path in ["", "/", "/ocpp/%zz", "/ocpp/%C3%82"] {
            assert_eq!(endpoint_of(path), None, "{path}");
        }
    }

    #[test]
    fn passwords_may_be_any_bytes_but_the_user_is_the_endpoint() {
        let mut headers = HeaderMap::new();
        let credentials = STANDARD.encode([b"K3M9:".as_slice(), &[0xff, b':', 7]].concat());
        headers.insert(AUTHORIZATION, format!("Basic {credentials}").parse().expect("a header"));
        assert_eq!(password_of(&headers, "k3m9"), Some(vec![0xff, b':', 7]));
        assert_eq!(password_of(&headers, "other"), None);
    }
}
