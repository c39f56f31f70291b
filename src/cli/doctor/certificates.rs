//! The certificates of `[tls]`: whether they fit, how long they last, and for whom.

use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::ParsedCertificate;
use x509_parser::certificate::X509Certificate;

use super::Finding;
use crate::app::{Config, Dependencies, tls};

const CHECK: &str = "certificates";
/// Those of Let's Encrypt are renewed thirty days before.
const SOON_DAYS: i64 = 21;

/// Checks them, where an address speaks TLS.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    if config.tls.listen.is_empty() {
        return Vec::new();
    }
    let chain = match tls::chain(&config.tls) {
        Ok(chain) => chain,
        Err(error) => {
            let advice =
                "correct [tls]: the server does not start with these files, and keeps those from before while it runs";
            return vec![Finding::failed(CHECK, format!("{error:#}"), advice)];
        }
    };
    let parsed: Vec<X509Certificate<'_>> =
        chain.iter().filter_map(|one| Some(x509_parser::parse_x509_certificate(one).ok()?.1)).collect();
    let mut findings: Vec<Finding> = parsed.iter().filter_map(dates).collect();
    findings.extend(links(&parsed));
    if let (Some(own), Some(host)) = (chain.first(), host_of(&config.http.public_url)) {
        let fits = ParsedCertificate::try_from(own)
            .and_then(|own| {
                Ok((own, ServerName::try_from(host.clone()).map_err(|_| rustls::Error::UnsupportedNameType)?))
            })
            .and_then(|(own, name)| verify_server_name(&own, &name));
        if fits.is_err() {
            let advice = "have one signed for the name in http.public_url, or correct that";
            findings.push(Finding::failed(CHECK, format!("the server's certificate is not for {host}"), advice));
        }
    }
    if findings.is_empty() {
        let until = parsed.first().map(|own| own.validity().not_after.to_string()).unwrap_or_default();
        findings.push(Finding::ok(CHECK, format!("{} in the chain, the key fits, valid until {until}", parsed.len())));
    }
    findings
}

fn host_of(url: &str) -> Option<String> {
    let url: reqwest::Url = url.parse().ok()?;
    url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned())
}

fn dates(certificate: &X509Certificate<'_>) -> Option<Finding> {
    let now = Dependencies::default().clock.now().unix_seconds();
    let (validity, subject) = (certificate.validity(), certificate.subject());
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let advice = "renew it; the server reads it again by itself within a minute";
    if until <= now {
        return Some(Finding::failed(CHECK, format!("{subject} was valid until {}", validity.not_after), advice));
    }
    if from > now {
        let advice = "look at the machine's clock";
        return Some(Finding::failed(CHECK, format!("{subject} is valid from {} on", validity.not_before), advice));
    }
    let days = (until - now) / 86_400;
    (days < SOON_DAYS).then(|| Finding::warning(CHECK, format!("{subject} is valid for {days} more day(s)"), advice))
}

/// Whether each certificate is followed by that of who signed it.
fn links(chain: &[X509Certificate<'_>]) -> Option<Finding> {
    let broken = chain.windows(2).find_map(|pair| match pair {
        [lower, upper] if lower.issuer() != upper.subject() => Some((lower, upper)),
        _ => None,
    });
    if let Some((lower, upper)) = broken {
        let says =
            format!("{} was signed by {}, and is followed by {}", lower.subject(), lower.issuer(), upper.subject());
        return Some(Finding::failed(CHECK, says, "put the certificates in order: the server's, then those above it"));
    }
    match chain {
        [only] if only.issuer() != only.subject() => Some(Finding::warning(
            CHECK,
            format!("the file has only the server's own certificate, signed by {}", only.issuer()),
            "add those above it, unless stations and browsers know that one",
        )),
        _ => None,
    }
}
