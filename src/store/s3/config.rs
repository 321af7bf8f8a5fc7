//! What an S3 store needs to know, and how AWS's usual variables say it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use super::credentials::{Credentials, text};
use super::encryption::Encryption;
use super::profile;
use super::settings::ConfigError;
use crate::net::{InvalidProxy, Proxies, Trust};
use crate::store::{BucketName, Env, ObjectKey};

/// Everything an [`super::S3Store`] is made from.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// Where the store listens; `None` is AWS, by region and over https.
    pub endpoint: Option<Endpoint>,
    /// The region to sign for. Not given, it is the one that the endpoint's name has, or what the
    /// bucket says; without an endpoint, [`Self::if_region_unknown`] decides.
    pub region: Option<String>,
    /// What becomes of a bucket of AWS's without a region.
    pub if_region_unknown: IfRegionUnknown,
    /// The bucket.
    pub bucket: BucketName,
    /// What all keys start with, joined by a `/`.
    pub prefix: Option<ObjectKey>,
    /// Where the bucket's name goes in a request.
    pub addressing: Addressing,
    /// How objects are encrypted.
    pub encryption: Encryption,
    /// Whether somebody else makes the bucket when they store something: until then it
    /// counts as empty.
    pub creates_bucket: bool,
    /// Who we are.
    pub credentials: Credentials,
    /// Which certificates are believed.
    pub trust: Trust,
    /// Which proxies requests go through.
    pub proxies: Proxies,
    /// Deadlines and retries.
    pub limits: Limits,
    /// Whose requests are sent for objects.
    pub requests: Requests,
}

/// Whose requests are sent for objects. Nothing but how long they take depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Requests {
    /// Our own, where they can be as plain as the SDK's that was answered before.
    #[default]
    Plain,
    /// The SDK's.
    BySdk,
}

/// What becomes of a bucket of AWS's of which nobody says in which region it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfRegionUnknown {
    /// Somebody has to say it.
    #[default]
    Refuse,
    /// The bucket is asked.
    Ask,
}

/// Where the bucket's name goes in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addressing {
    /// Into the host name at AWS's own hosts, into the path anywhere else.
    #[default]
    ByHost,
    /// Into the path, always.
    Path,
    /// Into the host name, always.
    VirtualHost,
}

/// `http://host:port` or `https://host`: scheme, host, port and path, and
/// nothing that could hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    host: String,
    secure: bool,
}

/// How others than the store are asked who we are: whom TLS believes, through which proxies, and
/// how long that may take.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) trust: Trust,
    pub(super) proxies: Proxies,
    pub(super) limits: Limits,
}

/// How long things may take, and how much is asked for at a time. Every wait of the adapter
/// ends by one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To open a connection, TLS included.
    pub connect: Duration,
    /// Waiting for one reply to begin, besides the time that the request's bytes
    /// may take by [`Self::min_rate`].
    pub attempt: Duration,
    /// Waiting for a reply's body, besides the time that those of its bytes that
    /// came may take by [`Self::min_rate`].
    pub stall: Duration,
    /// Bytes a second below which a transfer counts as stuck.
    pub min_rate: u64,
    /// From the first attempt of a call to the start of its last.
    pub total: Duration,
    /// The same where nobody is reached: a name that is unknown, a port that nobody listens on.
    pub unreached: Duration,
    /// The same where it is who gives credentials that does not answer, and how long one
    /// answer of theirs may take.
    pub sign_in: Duration,
    /// The first pause between attempts; later ones double it.
    pub first_pause: Duration,
    /// The longest pause, unless the store asks for more.
    pub longest_pause: Duration,
    /// Objects that a listing asks for at a time; S3 gives 1000 at most.
    pub page: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(20),
            stall: Duration::from_secs(20),
            min_rate: 32 * 1024,
            total: Duration::from_mins(1),
            unreached: Duration::from_mins(1),
            sign_in: Duration::from_secs(5),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            page: 1000,
        }
    }
}

impl Limits {
    /// How long `bytes` may take at the slowest rate that still counts as moving.
    pub(super) fn transfer(&self, bytes: u64) -> Duration {
        Duration::from_secs(bytes / self.min_rate.max(1))
    }
}

/// Why text is not an [`Endpoint`]; the text is not repeated, it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidEndpoint(&'static str);

impl Endpoint {
    /// The url as it was given, without a `/` at its end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether it is https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is this machine, by its address or by the one name that is no other's
    /// (RFC 6761 section 6.3).
    pub fn is_loopback(&self) -> bool {
        let address = self.host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(&self.host);
        address.parse::<IpAddr>().map_or(self.host == "localhost", |address| address.is_loopback())
    }

    /// The region that AWS's host is named after: `s3.REGION.amazonaws.com`, with
    /// `s3-fips`, `dualstack`, in China, and in the oldest form, `s3-REGION`.
    pub fn region(&self) -> Option<&str> {
        let name =
            [".amazonaws.com", ".amazonaws.com.cn"].iter().find_map(|end| self.host.strip_suffix(end))?;
        let region = match name.split('.').collect::<Vec<_>>().as_slice() {
            ["s3" | "s3-fips", region] | ["s3" | "s3-fips", "dualstack", region] => *region,
            [one] => one.strip_prefix("s3-")?,
            _ => return None,
        };
        // Others are named so, too: `s3-accelerate`, `s3-fips`.
        region.ends_with(|end: char| end.is_ascii_digit()).then_some(region)
    }

    /// Whether the host is one of AWS's own, where a bucket is a host name.
    pub fn is_aws(&self) -> bool {
        [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|end| self.host.ends_with(end))
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let text = text.trim_end_matches('/');
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(InvalidEndpoint("must start with https:// or http://")),
        };
        if rest.contains('@') {
            return Err(InvalidEndpoint("must not hold credentials"));
        }
        if rest
            .bytes()
            .any(|b| !b.is_ascii_graphic() || matches!(b, b'?' | b'#' | b'\\' | b'"' | b'<' | b'>'))
        {
            return Err(InvalidEndpoint("must be a plain url without a query"));
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rfind(']') {
            Some(end) => (authority.get(..=end), authority.get(end + 1..).and_then(|p| p.strip_prefix(':'))),
            None => match authority.split_once(':') {
                Some((host, port)) => (Some(host), Some(port)),
                None => (Some(authority), None),
            },
        };
        if port.is_some_and(|p| p.parse::<u16>().is_err()) {
            return Err(InvalidEndpoint("must have a number as its port"));
        }
        match host {
            Some(host) if !host.is_empty() => {
                Ok(Self { url: text.to_owned(), host: host.to_ascii_lowercase(), secure })
            }
            _ => Err(InvalidEndpoint("must name a host")),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.url)
    }
}

impl S3Config {
    /// AWS's defaults for a bucket with these credentials.
    pub fn new(bucket: BucketName, prefix: Option<ObjectKey>, credentials: Credentials) -> Self {
        Self {
            endpoint: None,
            region: None,
            if_region_unknown: IfRegionUnknown::default(),
            bucket,
            prefix,
            addressing: Addressing::default(),
            encryption: Encryption::default(),
            creates_bucket: false,
            credentials,
            trust: Trust::default(),
            proxies: Proxies::none(),
            limits: Limits::default(),
            requests: Requests::default(),
        }
    }

    /// From AWS's usual variables: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`,
    /// `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_CA_BUNDLE` or `SSL_CERT_FILE`,
    /// those of [`Proxies::from_env`], and the credentials of [`Credentials::ambient`].
    pub fn from_env(
        bucket: BucketName,
        prefix: Option<ObjectKey>,
        env: &dyn Env,
    ) -> Result<Self, ConfigError> {
        let credentials = Credentials::ambient(env)?.ok_or(ConfigError::NoCredentials)?;
        let config = Self::by_variables(bucket, prefix, credentials, env)?;
        config.signing_region()?;
        Ok(config)
    }

    /// As [`Self::from_env`], and from the profile that `AWS_PROFILE` names, of AWS's shared
    /// files: its credentials after keys in variables and before all else, its region and its
    /// endpoint where no variable names one. For a person at a command line; never in a pod,
    /// where a home directory is not the platform's.
    pub fn at_command_line(
        bucket: BucketName,
        prefix: Option<ObjectKey>,
        env: &dyn Env,
    ) -> Result<Self, ConfigError> {
        let profile::Settings { region, endpoint, credentials } = profile::Settings::from_env(env)?;
        let credentials =
            Credentials::at_command_line(env, credentials)?.ok_or(ConfigError::NoCredentials)?;
        let mut config = Self::by_variables(bucket, prefix, credentials, env)?;
        config.endpoint = config.endpoint.or(endpoint);
        config.region = config.region.or(region);
        config.signing_region()?;
        Ok(config)
    }

    fn by_variables(
        bucket: BucketName,
        prefix: Option<ObjectKey>,
        credentials: Credentials,
        env: &dyn Env,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::new(bucket, prefix, credentials);
        config.endpoint = endpoint(env, ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])?;
        config.region = match text(env, "AWS_REGION")? {
            Some(region) => Some(region),
            None => text(env, "AWS_DEFAULT_REGION")?,
        };
        config.trust = Trust::from_env(env);
        config.proxies = Proxies::from_env(env)?;
        Ok(config)
    }

    /// Whose bucket it is, for evidence in a statement: the endpoint's address, or
    /// AWS's general one, which leaves the region out. Holds no credentials.
    pub fn endpoint_url(&self) -> String {
        self.endpoint.as_ref().map_or("https://s3.amazonaws.com", Endpoint::as_str).to_owned()
    }

    pub(super) fn reach(&self) -> Reach {
        Reach { trust: self.trust.clone(), proxies: self.proxies.clone(), limits: self.limits }
    }

    pub(super) fn signing_region(&self) -> Result<String, ConfigError> {
        let region = match (&self.region, &self.endpoint) {
            (Some(region), _) => region.clone(),
            // What a host does not say, the bucket will (`region`), or its answers (`Client::follow`).
            (None, Some(endpoint)) => endpoint.region().unwrap_or("us-east-1").to_owned(),
            (None, None) if self.if_region_unknown == IfRegionUnknown::Ask => "us-east-1".to_owned(),
            (None, None) => return Err(ConfigError::NoRegion),
        };
        // It becomes part of AWS's host name and of the signature's scope.
        if region.is_empty() || !region.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        {
            return Err(ConfigError::Variable { name: "AWS_REGION", why: "is not a region's name" });
        }
        Ok(region)
    }

    pub(super) fn path_style(&self) -> bool {
        match self.addressing {
            Addressing::Path => true,
            Addressing::VirtualHost => false,
            Addressing::ByHost => self.endpoint.as_ref().is_some_and(|endpoint| !endpoint.is_aws()),
        }
    }
}

/// The endpoint that the first of these variables names.
pub(super) fn endpoint(env: &dyn Env, names: [&'static str; 2]) -> Result<Option<Endpoint>, ConfigError> {
    for name in names {
        if let Some(url) = text(env, name)? {
            return match url.parse() {
                Ok(endpoint) => Ok(Some(endpoint)),
                Err(InvalidEndpoint(why)) => Err(ConfigError::Variable { name, why }),
            };
        }
    }
    Ok(None)
}

impl From<InvalidProxy> for ConfigError {
    fn from(InvalidProxy { name, why }: InvalidProxy) -> Self {
        Self::Variable { name, why }
    }
}

#[cfg(test)]
mod tests;
