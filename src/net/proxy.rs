//! Which requests go through which proxy, as Go's `httpproxy` reads the usual variables, so
//! that it is the way that Argo's own containers take.
//!
//! `HTTPS_PROXY` is for what is asked over https, `HTTP_PROXY` for the rest, each also in
//! lower case; `NO_PROXY` names whom to ask directly. This machine is always asked directly.
//! Other than Go we refuse what is no proxy's address, instead of going without one: whoever
//! set it wanted the requests to go there.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use zeroize::Zeroizing;

use crate::environment::Env;

/// The proxies of an environment.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    direct: Vec<Direct>,
}

/// One proxy. What it is told of who we are is never shown.
#[derive(Clone)]
pub(super) struct Proxy {
    /// Scheme, host and port, and nothing else.
    pub(super) uri: Uri,
    /// `Proxy-Authorization` (RFC 7617).
    pub(super) authorization: Option<HeaderValue>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.uri)
    }
}

/// Whom to ask directly, from `NO_PROXY`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Direct {
    Everybody,
    Network { address: IpAddr, bits: u32 },
    Address { address: IpAddr, port: Option<String> },
    Domain { below: String, itself: bool, port: Option<String> },
}

/// A variable that should hold a proxy's address, and does not. The value is not repeated:
/// it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name} {why}")]
pub struct InvalidProxy {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with its value.
    pub why: &'static str,
}

impl Proxies {
    /// None: all is asked directly.
    pub fn none() -> Self {
        Self::default()
    }

    /// From `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or the same in lower case.
    pub fn from_env(env: &dyn Env) -> Result<Self, InvalidProxy> {
        // A server that runs CGI programs sets HTTP_PROXY from a header named Proxy.
        let cgi = env.var("REQUEST_METHOD").is_some_and(|method| !method.is_empty());
        let named = |names: [&'static str; 2]| -> Result<Option<Proxy>, InvalidProxy> {
            let Some((name, value)) = first(env, names) else { return Ok(None) };
            let value = value.into_string().map(Zeroizing::new);
            let value = value.map_err(|_| InvalidProxy { name, why: "is not valid UTF-8" })?;
            Proxy::parse(value.trim()).map(Some).map_err(|why| InvalidProxy { name, why })
        };
        let direct = first(env, ["NO_PROXY", "no_proxy"]).map(|(_, value)| value);
        Ok(Self {
            http: if cgi { None } else { named(["HTTP_PROXY", "http_proxy"])? },
            https: named(["HTTPS_PROXY", "https_proxy"])?,
            direct: exceptions(&direct.unwrap_or_default().to_string_lossy()),
        })
    }

    /// Whether a proxy is to be asked over TLS.
    pub(crate) fn speak_tls(&self) -> bool {
        [&self.http, &self.https].into_iter().flatten().any(|proxy| proxy.uri.scheme_str() == Some("https"))
    }

    /// The proxy that a request to `uri` goes through, if it goes through one.
    pub(super) fn of(&self, uri: &Uri) -> Option<&Proxy> {
        let (proxy, own_port) = match uri.scheme_str()? {
            "https" => (self.https.as_ref()?, 443),
            _ => (self.http.as_ref()?, 80),
        };
        let host = bare(uri.host()?).trim_end_matches('.').to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(own_port).to_string();
        let address = host.parse::<IpAddr>().ok();
        if address.map_or(host == "localhost", |address| address.is_loopback()) {
            return None;
        }
        let direct = self.direct.iter().any(|direct| direct.is(&host, address, &port));
        Some(proxy).filter(|_| !direct)
    }
}

fn first(env: &dyn Env, names: [&'static str; 2]) -> Option<(&'static str, std::ffi::OsString)> {
    names.into_iter().find_map(|name| Some((name, env.var(name).filter(|value| !value.is_empty())?)))
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

impl Proxy {
    /// `http://[user[:password]@]host[:port]`; https, too, and without a scheme.
    fn parse(text: &str) -> Result<Self, &'static str> {
        const ADDRESS: &str = "is not the address of a proxy, such as http://proxy.example.com:3128";
        let (scheme, rest) = match text.split_once("://") {
            None => ("http", text),
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "http" => ("http", rest),
                "https" => ("https", rest),
                "socks5" | "socks5h" => return Err("names a SOCKS proxy, which is not supported"),
                _ => return Err(ADDRESS),
            },
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let port = if place.ends_with(']') || !place.contains(':') { own_port(scheme) } else { "" };
        let uri: Uri = format!("{scheme}://{place}{port}").parse().map_err(|_| ADDRESS)?;
        if uri.host().is_none_or(str::is_empty) || uri.port_u16().is_none() {
            return Err(ADDRESS);
        }
        let authorization = user.map(basic).transpose()?;
        Ok(Self { uri, authorization })
    }
}

fn own_port(scheme: &str) -> &'static str {
    if scheme == "https" { ":443" } else { ":80" }
}

/// `user:password`, each percent-encoded, as a header's value.
fn basic(user: &str) -> Result<HeaderValue, &'static str> {
    const CODE: &str = "holds a `%` without two hexadecimal digits";
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let mut plain = Zeroizing::new(decoded(user).ok_or(CODE)?);
    plain.push(b':');
    plain.extend_from_slice(&Zeroizing::new(decoded(password).ok_or(CODE)?));
    let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(&*plain)));
    let mut value = HeaderValue::from_str(&value).map_err(|_| CODE)?;
    value.set_sensitive(true);
    Ok(value)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            u8::try_from(high << 4 | low).ok()?
        } else {
            byte
        });
    }
    Some(bytes)
}

/// `NO_PROXY`, between commas: `*`, a network, an address, a domain (with all beneath it;
/// with a dot or `*.` before it, those alone); the latter two with a port or for all.
fn exceptions(list: &str) -> Vec<Direct> {
    list.split(',').filter_map(|entry| exception(&entry.trim().to_ascii_lowercase())).collect()
}

fn exception(entry: &str) -> Option<Direct> {
    if entry == "*" {
        return Some(Direct::Everybody);
    }
    if let Some((address, bits)) = entry.split_once('/')
        && let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse())
    {
        return Some(Direct::Network { address, bits });
    }
    let (host, port) = match entry.rsplit_once(':') {
        // More than one colon and no brackets: an IPv6 address.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.to_owned())),
        _ => (entry, None),
    };
    let host = bare(host);
    if let Ok(address) = host.parse() {
        return Some(Direct::Address { address, port });
    }
    let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
    let below = host.strip_prefix('.').unwrap_or(host);
    if below.is_empty() {
        return None;
    }
    Some(Direct::Domain { below: format!(".{below}"), itself: !host.starts_with('.'), port })
}

impl Direct {
    fn is(&self, host: &str, address: Option<IpAddr>, port: &str) -> bool {
        let at = |wanted: &Option<String>| wanted.as_deref().is_none_or(|wanted| wanted == port);
        match self {
            Self::Everybody => true,
            Self::Network { address: network, bits } => {
                address.is_some_and(|address| contains(*network, *bits, address))
            }
            Self::Address { address: wanted, port } => address == Some(*wanted) && at(port),
            Self::Domain { below, itself, port } => {
                let same = *itself && below.get(1..) == Some(host);
                address.is_none() && (same || host.ends_with(below.as_str())) && at(port)
            }
        }
    }
}

/// Whether the first `bits` of both are the same.
fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let Some(rest) = u32::checked_sub(width, bits) else { return false };
    // A shift by the type's whole width is none.
    rest == 128 || network >> rest == address >> rest
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use proptest::prelude::*;

    use super::*;

    fn proxies(vars: &[(&str, &str)]) -> Result<Proxies, InvalidProxy> {
        let vars: Vec<_> = vars.iter().map(|(n, v)| ((*n).to_owned(), OsString::from(v))).collect();
        Proxies::from_env(&move |name: &str| {
            vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        })
    }

    fn way(proxies: &Proxies, uri: &str) -> Option<String> {
        proxies.of(&uri.parse().unwrap()).map(|proxy| proxy.uri.to_string())
    }

    #[test]
    fn each_scheme_has_a_variable_in_both_cases() {
        let both = proxies(&[("HTTPS_PROXY", "http://a:1"), ("http_proxy", "b:2")]).unwrap();
        assert_eq!(way(&both, "https://s3.example").as_deref(), Some("http://a:1/"));
        assert_eq!(way(&both, "http://s3.example:9000/x").as_deref(), Some("http://b:2/"));
        let lower = proxies(&[("https_proxy", "https://c/")]).unwrap();
        assert_eq!(way(&lower, "https://s3.example").as_deref(), Some("https://c:443/"));
        assert_eq!(way(&lower, "http://s3.example"), None);
        let upper_first = proxies(&[("HTTP_PROXY", ""), ("http_proxy", "b")]).unwrap();
        assert_eq!(way(&upper_first, "http://h").as_deref(), Some("http://b:80/"));
        let cgi = proxies(&[("HTTP_PROXY", "b"), ("REQUEST_METHOD", "GET")]).unwrap();
        assert_eq!(way(&cgi, "http://h"), None);
        assert_eq!(
            way(&proxies(&[("ALL_PROXY", "b")]).unwrap(), "http://h"),
            None,
            "Go knows no such variable"
        );
    }

    #[test]
    fn this_machine_is_asked_directly() {
        let all = proxies(&[("HTTPS_PROXY", "p:1"), ("HTTP_PROXY", "p:1")]).unwrap();
        for uri in [
            "http://localhost:9000",
            "https://LOCALHOST",
            "http://127.0.0.1",
            "http://127.8.9.1:1",
            "https://[::1]:9",
        ] {
            assert_eq!(way(&all, uri), None, "{uri}");
        }
        for uri in ["http://localhost.example", "http://10.0.0.1", "http://[fd00::1]", "http://1.127.0.0"] {
            assert!(way(&all, uri).is_some(), "{uri}");
        }
    }

    /// The cases of `proxy_test.go` in golang.org/x/net/http/httpproxy, and more.
    #[test]
    fn exceptions_are_read_as_go_reads_them() {
        for (list, direct, proxied) in [
            ("*", &["http://a", "http://10.0.0.1"][..], &[][..]),
            (
                "example.com",
                &["http://example.com", "http://a.example.com:81", "http://EXAMPLE.com."],
                &["http://badexample.com", "http://example.com.evil"],
            ),
            (".example.com", &["http://a.example.com"], &["http://example.com"]),
            ("*.example.com", &["http://a.b.example.com"], &["http://example.com"]),
            (" a , b:81 ", &["http://a", "http://b:81"], &["http://b", "http://c"]),
            ("b:80", &["http://b"], &["http://b:81"]),
            ("10.0.0.0/8", &["http://10.255.1.1"], &["http://11.0.0.1", "http://a"]),
            ("10.0.0.1", &["http://10.0.0.1:9"], &["http://10.0.0.2"]),
            ("10.0.0.1:9", &["http://10.0.0.1:9"], &["http://10.0.0.1"]),
            ("fd00::/8", &["http://[fd12::1]"], &["http://[fe00::1]", "http://10.0.0.1"]),
            ("[fd00::1]:80,fd00::2", &["http://[fd00::1]", "http://[fd00::2]:9"], &["http://[fd00::1]:81"]),
            ("0.0.0.0/0", &["http://1.2.3.4"], &["http://a"]),
            ("::/0", &["http://[fd00::1]"], &["http://1.2.3.4"]),
            ("10.0.0.0/33,/8,.,:80,", &[], &["http://10.0.0.1", "http://a"]),
        ] {
            let set = proxies(&[("HTTP_PROXY", "p:1"), ("no_proxy", list)]).unwrap();
            for uri in direct {
                assert_eq!(way(&set, uri), None, "{list}: {uri}");
            }
            for uri in proxied {
                assert!(way(&set, uri).is_some(), "{list}: {uri}");
            }
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_and_not_repeated() {
        for (value, why) in [
            ("socks5://u:canary@h:1", "SOCKS"),
            ("ftp://u:canary@h", "address"),
            ("http://u:canary@", "address"),
            ("http://u:canary@h:canary", "address"),
            ("http://u:%zz@h", "hexadecimal"),
            ("http://canary h", "address"),
        ] {
            let error = proxies(&[("HTTPS_PROXY", value)]).unwrap_err().to_string();
            assert!(error.starts_with("HTTPS_PROXY ") && error.contains(why), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_password_is_told_to_the_proxy_alone() {
        let set = proxies(&[("HTTP_PROXY", "http://us%40er:can%3Aary@h:1/path")]).unwrap();
        let proxy = set.of(&"http://x".parse().unwrap()).unwrap();
        let expected = format!("Basic {}", STANDARD.encode("us@er:can:ary"));
        assert_eq!(proxy.authorization.as_ref().unwrap(), expected.as_str());
        let shown = format!("{set:?} {proxy:?} {:?}", proxy.authorization);
        assert!(!shown.contains("ary") && !shown.contains("er:") && shown.contains("http://h:1/"), "{shown}");
    }

    proptest! {
        #[test]
        fn nothing_panics(proxy in "(http://)?\\PC{0,30}", list in "[a-z0-9.:/\\[\\]*, ]{0,40}", host in "[a-z0-9.]{1,12}") {
            if let Ok(set) = proxies(&[("HTTP_PROXY", &proxy), ("NO_PROXY", &list)])
                && let Ok(uri) = format!("http://{host}").parse()
            {
                let _ = set.of(&uri);
            }
        }
    }
}
