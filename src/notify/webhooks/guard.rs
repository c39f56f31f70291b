//! Keeps webhooks from reaching into the server's own network: addresses are judged after they were resolved, by the resolver of
//! the client that connects, so a name cannot point to another address in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What Azure answers its machines' questions about themselves at: an address of the public internet for all others.
const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Where webhooks may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard {
    /// Addresses of private networks and of this machine too.
    pub allow_private: bool,
    /// Without TLS too.
    pub allow_http: bool,
}

/// Why a URL is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Refused {
    #[error("must be a URL such as https://example.com/events")]
    NoUrl,
    #[error("must begin with https://")]
    NotSecret,
    #[error("must not contain a user name or password")]
    Login,
    #[error("is in a private network: {0}")]
    Private(IpAddr),
}

impl Guard {
    /// The URL, unless it can be seen already that it is refused.
    pub(super) fn check(self, text: &str) -> Result<Url, Refused> {
        let url: Url = text.parse().map_err(|_| Refused::NoUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(Refused::NotSecret),
            _ => return Err(Refused::NoUrl),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Login);
        }
        // A literal address is never resolved, so the resolver does not see it.
        let host = url.host_str().unwrap_or_default();
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        match literal {
            Some(ip) if !self.allows(ip) => Err(Refused::Private(ip)),
            _ => Ok(url),
        }
    }

    fn allows(self, ip: IpAddr) -> bool {
        self.allow_private || is_public(ip)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            let allowed: Vec<_> = found.iter().copied().filter(|one| guard.allows(one.ip())).collect();
            match (allowed.is_empty(), found.first()) {
                (true, Some(refused)) => Err(Refused::Private(refused.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b); // RFC 6598
    let benchmarks = a == 198 && (b == 18 || b == 19); // RFC 2544
    let protocols = (a, b, c) == (192, 0, 0); // RFC 6890
    let relays = (a, b, c) == (192, 88, 99); // 6to4, RFC 7526
    let azure = ip == AZURE; // the others have theirs in private ranges
    !(a == 0
        || a >= 240
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || shared
        || benchmarks
        || protocols
        || relays
        || azure)
}

/// Only global unicast (2000::/3), and of that nothing which carries an IPv4 address or is for documentation.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    if let Some(ip) = ip.to_ipv4_mapped() {
        return is_public_v4(ip);
    }
    let documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    let protocols = a == 0x2001 && b < 0x0200; // RFC 2928: Teredo, benchmarks, ORCHID
    let six_to_four = a == 0x2002;
    (a & 0xe000) == 0x2000 && !documentation && !protocols && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Guard = Guard { allow_private: false, allow_http: false };

    #[test]
    fn addresses_that_are_not_of_the_internet_are_refused() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.192",
            "192.88.99.1",
            "168.63.129.16",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2001::7f00:1",
            "2001:db8::1",
            "3fff::1",
            "fd00:ec2::254",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public(inside.parse().expect("an address")), "{inside}");
        }
        for outside in ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(outside.parse().expect("an address")), "{outside}");
        }
    }

    #[test]
    fn urls_are_refused_with_the_reason() {
        assert!(STRICT.check("https://example.com/x?y=1").is_ok());
        assert!(STRICT.check("https://example.com:8443/").is_ok());
        for loopback in [
            "https://127.1/",
            "https://127.0.0.1./",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://2130706433/",
            "https://１２７.0.0.1/",
            "https://127。0。0。1/",
            "https://%31%32%37.0.0.1/",
            "https:\\\\127.0.0.1/",
            "https:127.0.0.1/",
            " https://127.0.0.1/",
        ] {
            let refused = Refused::Private(Ipv4Addr::LOCALHOST.into());
            assert_eq!(STRICT.check(loopback), Err(refused), "{loopback}");
        }
        for no_host in [
            "https://",
            "https://[fe80::1%25eth0]/",
            "https://[::ffff:7f00:1",
            "https://127.0.0.256/",
            "https://exa mple.com/",
        ] {
            assert_eq!(STRICT.check(no_host), Err(Refused::NoUrl), "{no_host}");
        }
        assert!(STRICT.check("https://[::ffff:7f00:1]/").is_err());
        for (text, reason) in [
            ("http://example.com", Refused::NotSecret),
            ("ftp://example.com", Refused::NoUrl),
            ("example.com", Refused::NoUrl),
            ("https://me:secret@example.com", Refused::Login),
            ("https://example.com@127.0.0.1/", Refused::Login),
            ("https://[::1]/", Refused::Private(Ipv6Addr::LOCALHOST.into())),
        ] {
            assert_eq!(STRICT.check(text), Err(reason), "{text}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_by_what_they_resolve_to() {
        for name in ["localhost", "localhost.", "LOCALHOST"] {
            let name = name.parse().expect("a name");
            assert!(STRICT.resolve(name).await.is_err());
        }
        let open = Guard { allow_private: true, ..STRICT };
        let name = "localhost".parse().expect("a name");
        assert!(open.resolve(name).await.is_ok());
    }
}
