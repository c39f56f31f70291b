//! Who is at the other end of a request: the address, also behind proxies that are trusted to name it, and whether the way
//! was encrypted.
//!
//! `X-Forwarded-For` and `Forwarded` (RFC 7239) are lists that each proxy appends to. They are read from their end, as far as
//! the addresses there are trusted: the first that is not is the client, whatever it wrote before. Only one of both is read, by the
//! configuration: a proxy that writes one of them passes on the other as the client wrote it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use actix_web::{HttpRequest, web};
use serde::Deserialize;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Addresses that begin alike: `10.0.0.0/8`, or one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    prefix: u8,
}

/// An address as 128 bits, and how many it has of its own.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        let ((first, length), (other, of)) = (bits(self.first), bits(address));
        let free = u32::from(length - self.prefix);
        let differ = (first ^ other).checked_shr(free).unwrap_or(0);
        length == of && differ == 0
    }
}

impl FromStr for Network {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no address, nor a network such as 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let (_, longest) = bits(first);
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| wrong())?,
            None => longest,
        };
        match prefix <= longest {
            true => Ok(Self { first, prefix }),
            false => Err(wrong()),
        }
    }
}

/// The header in which trusted proxies name for whom they ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, and `X-Forwarded-Proto` beside it.
    #[default]
    XForwardedFor,
    /// `Forwarded`, with its `proto`.
    Forwarded,
}

impl ProxyHeader {
    /// The addresses that proxies appended, as far as they are addresses.
    fn hops(self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        match self {
            Self::XForwardedFor => elements(headers, &FORWARDED_FOR).into_iter().map(address_of).collect(),
            Self::Forwarded => {
                let of = |element| parameter(element, "for").and_then(address_of);
                elements(headers, &FORWARDED).into_iter().map(of).collect()
            }
        }
    }

    /// The scheme by which the last proxy was asked.
    fn scheme(self, headers: &HeaderMap) -> Option<&str> {
        match self {
            Self::XForwardedFor => elements(headers, &FORWARDED_PROTO).last().copied(),
            Self::Forwarded => parameter(elements(headers, &FORWARDED).last()?, "proto"),
        }
    }
}

/// The proxies that are trusted to name for whom they ask.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ProxyHeader,
}

impl TrustedProxies {
    /// Those of the configuration: addresses and networks, and the header that they write.
    pub fn read(texts: &[String], header: ProxyHeader) -> Result<Self, String> {
        let networks = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        Ok(Self { networks, header })
    }

    /// Whoever asks: for an address that only nodes of the cluster reach, which say for whom they ask.
    pub fn everybody() -> Self {
        let all = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        let networks = all.map(|first| Network { first, prefix: 0 }).into();
        Self { networks, header: ProxyHeader::XForwardedFor }
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The client of a request that this peer brought.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for forwarded in self.header.hops(headers).into_iter().rev() {
            if !self.contains(client) {
                break;
            }
            match forwarded {
                Some(address) => client = address,
                None => break, // hidden or unreadable: nobody before it can be believed
            }
        }
        client
    }
}

/// The elements of a list in one header or several.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).map(|line| line.to_str().unwrap_or("unreadable"));
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// A parameter of an element of `Forwarded`.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address_of(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let alone = match inner {
        Some((address, _)) => address,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    alone.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn peer(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn trusted(request: &HttpRequest) -> Option<&TrustedProxies> {
    let data = request.app_data::<web::Data<TrustedProxies>>();
    data.map(|data| data.get_ref())
}

/// The address of who asks: the peer's, or what `http.trusted_proxies` forward of it.
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = peer(request);
    trusted(request).map_or(peer, |proxies| proxies.client(peer, request.headers()))
}

/// What is counted as one address: of IPv6 the network of 64 bits, since whoever has one address there has them all.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

/// Whether a trusted proxy says that it was asked over TLS.
pub fn was_encrypted(request: &HttpRequest) -> bool {
    let Some(proxies) = trusted(request).filter(|proxies| proxies.contains(peer(request))) else {
        return false;
    };
    let scheme = proxies.header.scheme(request.headers());
    scheme.is_some_and(|scheme| matches!(scheme.to_ascii_lowercase().as_str(), "https" | "wss"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn asked(peer: &str, headers: &[(&'static str, &str)]) -> HttpRequest {
        asked_with(ProxyHeader::XForwardedFor, peer, headers)
    }

    fn asked_with(header: ProxyHeader, peer: &str, headers: &[(&'static str, &str)]) -> HttpRequest {
        let trusted = ["10.0.0.0/8".to_owned(), "2001:db8:1::/48".to_owned()];
        let proxies = TrustedProxies::read(&trusted, header).expect("networks");
        let mut request = TestRequest::default()
            .peer_addr(std::net::SocketAddr::new(peer.parse().expect("an address"), 4_711))
            .app_data(web::Data::new(proxies));
        for header in headers {
            request = request.append_header(*header);
        }
        request.to_http_request()
    }

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        client_address(&asked(peer, headers)).to_string()
    }

    #[test]
    fn a_stranger_is_who_it_is_whatever_it_says() {
        let lies = [("x-forwarded-for", "192.0.2.9"), ("x-forwarded-proto", "https")];
        assert_eq!(client("198.51.100.1", &lies), "198.51.100.1");
        assert!(!was_encrypted(&asked("198.51.100.1", &lies)));
        assert_eq!(client("::ffff:198.51.100.1", &[]), "198.51.100.1");
    }

    #[test]
    fn a_trusted_proxy_names_whom_it_asks_for() {
        let forwarded = |text| client("10.1.2.3", &[("x-forwarded-for", text)]);
        assert_eq!(forwarded("192.0.2.9"), "192.0.2.9");
        assert_eq!(forwarded("192.0.2.9:55000"), "192.0.2.9");
        assert_eq!(forwarded("203.0.113.66, 192.0.2.9"), "192.0.2.9", "the first is the client's own word");
        assert_eq!(forwarded("192.0.2.9, 10.9.9.9"), "192.0.2.9", "through two proxies");
        assert_eq!(forwarded("192.0.2.9, unknown"), "10.1.2.3");
        let lines = [("x-forwarded-for", "203.0.113.66"), ("x-forwarded-for", "192.0.2.9")];
        assert_eq!(client("10.1.2.3", &lines), "192.0.2.9");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let forwarded = |text| {
            let headers = [("forwarded", text), ("x-forwarded-for", "192.0.2.1")];
            client_address(&asked_with(ProxyHeader::Forwarded, "2001:db8:1::7", &headers)).to_string()
        };
        assert_eq!(forwarded("for=192.0.2.9;proto=http;by=203.0.113.43"), "192.0.2.9");
        assert_eq!(forwarded("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
        assert_eq!(forwarded("for=203.0.113.66, for=192.0.2.9"), "192.0.2.9");
        assert_eq!(forwarded("for=_hidden"), "2001:db8:1::7");
    }

    #[test]
    fn a_trusted_proxy_reports_that_it_was_asked_over_tls() {
        let encrypted = |text| was_encrypted(&asked("10.1.2.3", &[("x-forwarded-proto", text)]));
        assert!(encrypted("https") && encrypted("http, HTTPS") && !encrypted("https, http"));
        let by_rfc = |text| was_encrypted(&asked_with(ProxyHeader::Forwarded, "10.1.2.3", &[("forwarded", text)]));
        assert!(by_rfc("for=192.0.2.9;proto=HTTPS") && !by_rfc("for=192.0.2.9"));
    }

    #[test]
    fn the_header_that_the_proxy_does_not_write_is_the_clients_own_word() {
        let both = [
            ("forwarded", "for=203.0.113.66;proto=https"),
            ("x-forwarded-for", "192.0.2.9"),
            ("x-forwarded-proto", "http"),
        ];
        assert_eq!(client("10.1.2.3", &both), "192.0.2.9");
        assert!(!was_encrypted(&asked("10.1.2.3", &both)));
        let by_rfc = asked_with(ProxyHeader::Forwarded, "10.1.2.3", &both);
        assert_eq!(client_address(&by_rfc).to_string(), "203.0.113.66");
        assert!(was_encrypted(&by_rfc));
        assert_eq!(client("10.1.2.3", &both[..1]), "10.1.2.3", "nothing that the proxy wrote");
    }

    #[test]
    fn a_network_of_ipv6_is_one_neighbourhood() {
        let of = |text: &str| neighbourhood(text.parse().expect("an address")).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn networks_are_addresses_that_begin_alike() {
        let contains = |network: &str, address: &str| {
            let network: Network = network.parse().expect("a network");
            network.contains(address.parse().expect("an address"))
        };
        assert!(contains("192.0.2.128/25", "192.0.2.200"));
        assert!(!contains("192.0.2.128/25", "192.0.2.127"));
        assert!(contains("0.0.0.0/0", "203.0.113.1") && !contains("0.0.0.0/0", "::1"));
        assert!(contains("::/0", "2001:db8::1") && contains("::1", "::1"));
        for wrong in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "host"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
