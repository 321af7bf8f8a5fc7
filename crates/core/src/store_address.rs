//! Whose bucket it is: the address of an object store, so that two can be told apart.
//!
//! A bucket's name means something only within its store, and a statement about
//! `s3://artifacts/app` says nothing of the bucket of that name in another one. Two
//! addresses are one only where they surely lead to the same store; whether others do
//! is for a policy to say ([`crate::policy::Stores`]), not to be guessed here.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::Ipv6Addr;
use std::str::FromStr;

/// Bytes of an address; a name in DNS has at most 253.
const MAX_ADDRESS: usize = 1024;
/// One address for all of AWS's regional ones, in which bucket names are unique.
const AWS: &str = "https://s3.amazonaws.com";

/// The address of a store, `https://host[:port][/path]`. Equal ones are the same store.
///
/// Told apart are scheme, host, port and path. Not told apart are capitals in scheme and
/// host, a dot at the host's end, the scheme's own port said or not, a `/` at the end,
/// and AWS's own S3 hosts of its commercial regions over https.
#[derive(Clone)]
pub struct StoreAddress {
    given: Box<str>,
    normal: Box<str>,
}

/// Text that is no store's address. It is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the address of a store, such as https://s3.example.com or http://minio:9000")]
pub struct InvalidAddress;

impl StoreAddress {
    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.given
    }
}

impl FromStr for StoreAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let normal = normal(text).ok_or(InvalidAddress)?;
        Ok(Self { given: text.into(), normal: normal.into() })
    }
}

fn normal(text: &str) -> Option<String> {
    // No query, no fragment, no user, nothing escaped: what a host and a path surely are.
    let plain = |b: u8| b.is_ascii_graphic() && !b"@?#%\\\"'<>^`{|}".contains(&b);
    if text.len() > MAX_ADDRESS || !text.bytes().all(plain) {
        return None;
    }
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let path = path.trim_end_matches('/');
    let is_place = |part: &str| !matches!(part, "" | "." | "..");
    if !path.is_empty() && !path.split('/').skip(1).all(is_place) {
        return None;
    }
    let (host, port) = split_port(authority)?;
    let port = port.map_or(Some(own_port), number)?;
    if is_aws(&host) && (scheme.as_str(), port, path) == ("https", 443, "") {
        return Some(AWS.to_owned());
    }
    Some(format!("{scheme}://{host}:{port}{path}"))
}

/// The host in its normal form, and the port as text, if one is given.
fn split_port(authority: &str) -> Option<(String, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
        return Some((format!("[{address}]"), port));
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p)));
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    host.split('.').all(label).then_some((host, port))
}

fn number(port: &str) -> Option<u16> {
    port.parse().ok().filter(|number| *number > 0 && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether AWS itself answers under this host for every bucket of its commercial regions
/// ("Amazon S3 endpoints and quotas"). Under most of `amazonaws.com` others answer, and
/// in its other partitions the same name is another bucket.
fn is_aws(host: &str) -> bool {
    let Some(name) = host.strip_suffix(".amazonaws.com") else { return false };
    let region = match name {
        "s3" => return true,
        _ => match name.split('.').collect::<Vec<_>>().as_slice() {
            ["s3" | "s3-fips", region] | ["s3" | "s3-fips", "dualstack", region] => *region,
            // The form that the oldest regions still have.
            [one] => one.strip_prefix("s3-").unwrap_or_default(),
            _ => return false,
        },
    };
    is_commercial(region)
}

/// `eu-west-1`: of the other partitions some have four parts (`us-gov-west-1`).
fn is_commercial(region: &str) -> bool {
    let word = |part: &str| part.len() > 2 && part.bytes().all(|b| b.is_ascii_lowercase());
    match region.split('-').collect::<Vec<_>>().as_slice() {
        ["cn", ..] => false,
        [land, place, number] => {
            land.len() == 2
                && land.bytes().all(|b| b.is_ascii_lowercase())
                && word(place)
                && matches!(number.as_bytes(), [b'1'..=b'9'])
        }
        _ => false,
    }
}

impl PartialEq for StoreAddress {
    fn eq(&self, other: &Self) -> bool {
        self.normal == other.normal
    }
}

impl Eq for StoreAddress {}

impl Hash for StoreAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normal.hash(state);
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.given)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> StoreAddress {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn what_is_surely_one_store_is_one() {
        for same in [
            &["https://s3.example.com", "https://S3.Example.COM", "HTTPS://s3.example.com:443/"][..],
            &["https://s3.example.com", "https://s3.example.com.", "https://s3.example.com.:0443"],
            &["http://minio:9000", "http://MinIO:9000/", "http://minio.:9000//"],
            &["http://h", "http://h:80"],
            &["http://[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000"],
            &["https://h/base", "https://h:443/base/"],
            &[
                "https://s3.amazonaws.com",
                "https://s3.eu-west-1.amazonaws.com",
                "https://s3.dualstack.us-east-1.amazonaws.com",
                "https://s3-fips.us-east-2.amazonaws.com:443",
                "https://s3-us-west-2.amazonaws.com/",
                "https://S3.AP-Southeast-5.amazonaws.com.",
            ],
        ] {
            for (a, b) in same.iter().flat_map(|a| same.iter().map(move |b| (*a, *b))) {
                assert_eq!(address(a), address(b));
            }
        }
    }

    #[test]
    fn what_may_be_two_stores_is_two() {
        let all = [
            "https://s3.example.com",
            "http://s3.example.com",
            "http://s3.example.com:443",
            "https://s3.example.com:8443",
            "https://s3.example.com/tenant",
            "https://s3.example.com/Tenant",
            "https://s3.example.org",
            "https://example.com",
            "http://minio:9000",
            "http://minio.argo:9000",
            "http://127.0.0.1:9000",
            "http://localhost:9000",
            "http://[::1]:9000",
            "http://2130706433:9000",
            // AWS, and what only looks so or has a namespace of its own.
            "https://s3.amazonaws.com",
            "http://s3.amazonaws.com",
            "https://s3.amazonaws.com:8443",
            "https://s3.amazonaws.com/bucket",
            "https://s3.cn-north-1.amazonaws.com.cn",
            "https://s3.cn-north-1.amazonaws.com",
            "https://s3.us-gov-west-1.amazonaws.com",
            "https://s3.us-iso-east-1.amazonaws.com",
            "https://ec2-1-2-3-4.compute-1.amazonaws.com",
            "https://s3.eu-west-1.evil.amazonaws.com",
            "https://bucket.s3.eu-west-1.amazonaws.com",
            "https://bucket.vpce-1a2b-3c4d.s3.us-east-1.vpce.amazonaws.com",
            "https://s3-website-us-east-1.amazonaws.com",
            "https://s3-accelerate.amazonaws.com",
            "https://s3.amazonaws.com.evil.example",
            "https://s3amazonaws.com",
        ];
        for (i, a) in all.iter().enumerate() {
            for b in all.iter().skip(i + 1) {
                assert_ne!(address(a), address(b));
            }
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "s3.example.com",
            "s3://bucket",
            "ftp://h",
            "https://",
            "https:///x",
            "https://:443",
            "https://h:",
            "https://h:x",
            "https://h:+443",
            "https://h:0",
            "https://h:65536",
            "https://u:p@h",
            "https://h?x",
            "https://h#x",
            "https://h%2e",
            "https://a b",
            "https://a..b",
            "https://.",
            "https://[::1",
            "https://[::1]9000",
            "https://[x]",
            "https://h/../x",
            "https://h/a//b",
            "https://h/./x",
            "https://hé",
            "https://h\n",
            " https://h",
            "https://1:2:3",
        ] {
            assert_eq!(text.parse::<StoreAddress>(), Err(InvalidAddress), "{text:?}");
        }
        let long = format!("https://{}", "a".repeat(2000));
        assert_eq!(long.parse::<StoreAddress>(), Err(InvalidAddress));
    }

    proptest! {
        #[test]
        fn the_form_decides_and_nothing_panics(
            text in "(https?|HTTP)://[a-zA-Z0-9.\\[\\]:-]{0,20}(:[0-9]{0,6})?(/[a-z./]{0,8})?",
            other in "\\PC{0,40}",
        ) {
            let _ = other.parse::<StoreAddress>();
            if let Ok(address) = text.parse::<StoreAddress>() {
                // The normal form is an address, and its own.
                let again: StoreAddress = address.normal.parse().unwrap();
                prop_assert_eq!(&again, &address);
                prop_assert_eq!(&again.normal, &address.normal);
            }
        }
    }
}
