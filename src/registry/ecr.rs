//! Amazon's registries, which take the password that ECR gives to whoever has AWS credentials
//! (`GetAuthorizationToken`): nobody has to be logged in.
//!
//! The password is good for every registry that its owner may use, so it is shown to no server but
//! the one whose image is asked for, which Amazon's own name says is theirs, and over TLS alone.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime};

use argo_attest_core::image::Registry;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::login::{Login, secret};
use crate::aws::{Kind, Posts, unusable};
use crate::environment::Env;
use crate::service::{Limits, ServiceError};
use crate::store::s3::{Caller, Callers, ConfigError, Endpoint, InvalidEndpoint};

const ECR: Kind = Kind {
    name: "Amazon ECR",
    signing: "ecr",
    target: "AmazonEC2ContainerRegistry_V20150921",
    endpoints: ["AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL"],
    passing: &["ServerException"],
    remedy: |kind, _| {
        (kind == "AccessDeniedException")
            .then(|| "grant ecr:GetAuthorizationToken to who asks, on all resources".into())
    },
};
/// The user that a password of ECR's goes with.
const USER: &str = "AWS";
/// Digits of an account's number.
const ACCOUNT: usize = 12;
/// Bytes of a password. They have some two thousand.
const MAX_PASSWORD: usize = 16 * 1024;
/// A password is not used for so long before its end.
const MARGIN: Duration = Duration::from_mins(10);
/// How long it lasts, and the most that is believed of that.
const LASTS: Duration = Duration::from_hours(12);

/// A registry of Amazon's, by its host's name: `ACCOUNT.dkr.ecr.REGION.amazonaws.com` and its
/// variants (Amazon ECR, "Making requests to Amazon ECR registries").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EcrHost {
    region: String,
    /// Where its region's API is.
    api: String,
}

/// Passwords of ECR's, kept for as long as they last.
pub(super) struct Ecr {
    who: Result<(Callers, Option<Endpoint>), ConfigError>,
    limits: Limits,
    registries: StdMutex<HashMap<Registry, Arc<Mutex<Desk>>>>,
}

/// Where the password for a registry is asked for. Only one asks at a time; the others wait for
/// its answer.
#[derive(Debug, Default)]
struct Desk {
    posts: Option<Posts>,
    kept: Option<Kept>,
}

struct Kept {
    login: Login,
    until: SystemTime,
}

/// Of `GetAuthorizationToken`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    authorization_data: Vec<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(deserialize_with = "secret")]
    authorization_token: Zeroizing<String>,
    /// Seconds since 1970.
    expires_at: Option<f64>,
}

impl EcrHost {
    /// `None` for everybody else's.
    pub(super) fn of(registry: &Registry) -> Option<Self> {
        let (account, rest) = registry.as_str().split_once('.')?;
        let is_account = account.len() == ACCOUNT && account.bytes().all(|b| b.is_ascii_digit());
        let (service, rest) = ["dkr.ecr-fips.", "dkr.ecr.", "dkr-ecr-fips.", "dkr-ecr."]
            .iter()
            .find_map(|service| Some((*service, rest.strip_prefix(service)?)))?;
        let (region, domain) = rest.split_once('.')?;
        let is_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_fips = service.contains("-fips");
        let api = match (service.starts_with("dkr-"), domain) {
            (false, "amazonaws.com" | "amazonaws.com.cn" | "amazonaws.eu") if is_fips => {
                format!("ecr-fips.{region}.{domain}")
            }
            (false, "amazonaws.com" | "amazonaws.com.cn" | "amazonaws.eu") => {
                format!("api.ecr.{region}.{domain}")
            }
            // What is reached by IPv6, too.
            (true, "on.aws") if is_fips => format!("ecr-fips.{region}.api.aws"),
            (true, "on.aws") => format!("ecr.{region}.api.aws"),
            _ => return None,
        };
        let is_named = !region.is_empty() && region.bytes().all(is_region);
        (is_account && is_named).then(|| Self { region: region.to_owned(), api })
    }
}

impl Ecr {
    /// As whoever the environment says we are. Nothing is asked yet, and what is wrong with that
    /// is told to who asks for an image of Amazon's.
    pub(super) fn new(env: &dyn Env, at_command_line: bool) -> Self {
        let who = Callers::from_env(env, at_command_line)
            .and_then(|callers| Ok((callers, Caller::endpoint(env, ECR.endpoints)?)));
        Self { who, limits: Limits::default(), registries: StdMutex::default() }
    }

    /// The login for a registry.
    pub(super) async fn login(&self, registry: &Registry, host: &EcrHost) -> Result<Login, ServiceError> {
        let desk = self.desk(registry);
        let mut desk = desk.lock().await;
        if let Some(kept) = desk.kept.as_ref().filter(|kept| SystemTime::now() + MARGIN < kept.until) {
            return Ok(kept.login.clone());
        }
        let posts = match desk.posts.take() {
            Some(posts) => posts,
            None => self.posts(host)?,
        };
        let posts = desk.posts.insert(posts);
        let asked = json!({});
        let given: Given = self
            .limits
            .ask(|refused| posts.renew(refused), || posts.post("GetAuthorizationToken", &asked))
            .await?;
        let kept = kept(&given, SystemTime::now())?;
        let login = kept.login.clone();
        desk.kept = Some(kept);
        Ok(login)
    }

    /// Forgets a login that the registry did not take.
    pub(super) async fn refused(&self, registry: &Registry) {
        self.desk(registry).lock().await.kept = None;
    }

    fn desk(&self, registry: &Registry) -> Arc<Mutex<Desk>> {
        let mut desks = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(desks.entry(registry.clone()).or_default())
    }

    fn posts(&self, host: &EcrHost) -> Result<Posts, ServiceError> {
        let (callers, endpoint) = self.who.as_ref().map_err(unusable)?;
        let caller = callers.calling(Some(&host.region)).map_err(|error| unusable(&error))?;
        let own = || format!("https://{}", host.api).parse();
        let endpoint =
            endpoint.clone().map_or_else(own, Ok).map_err(|why: InvalidEndpoint| ServiceError::Settings {
                what: format!("the region's endpoint {why}"),
                remedy: "check the registry's name".into(),
            })?;
        Posts::new(&ECR, caller, endpoint, callers.trust(), callers.proxies().clone(), self.limits)
    }
}

/// What was given, and until when.
fn kept(given: &Given, now: SystemTime) -> Result<Kept, ServiceError> {
    let odd = ServiceError::Odd("what should be a registry's password is none");
    let Some(data) = given.authorization_data.first() else { return Err(odd) };
    let fits = |token: &str| token.len() <= MAX_PASSWORD;
    let decoded = Some(data.authorization_token.as_str())
        .filter(|token| fits(token))
        .and_then(|token| BASE64_STANDARD.decode(token).ok())
        .map(Zeroizing::new);
    let pair = decoded.as_deref().and_then(|decoded| str::from_utf8(decoded).ok()?.split_once(':'));
    let Some((USER, password)) = pair.filter(|(_, password)| !password.is_empty()) else { return Err(odd) };
    let epoch = data.expires_at.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let until = epoch.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)).unwrap_or(now);
    let login = Login::Direct { user: USER.to_owned(), password: Zeroizing::new(password.to_owned()) };
    Ok(Kept { login, until: until.min(now + LASTS) })
}

impl fmt::Debug for Ecr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ecr").finish_non_exhaustive()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("until", &self.until).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Option<(String, String)> {
        EcrHost::of(&name.parse().unwrap()).map(|host| (host.region, host.api))
    }

    #[test]
    fn amazons_registries_are_known_by_their_names() {
        for (registry, region, api) in [
            ("dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", "api.ecr.eu-west-1.amazonaws.com"),
            (
                "dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
                "ecr-fips.us-gov-west-1.amazonaws.com",
            ),
            ("dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "api.ecr.cn-north-1.amazonaws.com.cn"),
            ("dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "api.ecr.eusc-de-east-1.amazonaws.eu"),
            ("dkr-ecr.us-west-2.on.aws", "us-west-2", "ecr.us-west-2.api.aws"),
            ("dkr-ecr-fips.us-west-2.on.aws", "us-west-2", "ecr-fips.us-west-2.api.aws"),
        ] {
            let found = host(&format!("111122223333.{registry}"));
            assert_eq!(found, Some((region.to_owned(), api.to_owned())), "{registry}");
        }
        for other in [
            "public.ecr.aws",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com:8443",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com.example.com",
            "111122223333.dkr.ecr.eu-west-1.on.aws",
            "111122223333.dkr-ecr.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr.amazonaws.com",
            "111122223333.dkr.ecr.a.b.amazonaws.com",
            "11112222333.dkr.ecr.eu-west-1.amazonaws.com",
            "a11122223333.dkr.ecr.eu-west-1.amazonaws.com",
            "x.111122223333.dkr.ecr.eu-west-1.amazonaws.com",
            "111122223333.s3.eu-west-1.amazonaws.com",
            "docker.io",
        ] {
            assert_eq!(host(other), None, "{other}");
        }
    }

    #[test]
    fn a_password_is_kept_for_twelve_hours_at_most() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let given = |token: &str, expires: &str| {
            let body = format!(
                r#"{{"authorizationData":[{{"authorizationToken":"{token}","expiresAt":{expires},"proxyEndpoint":"x"}}]}}"#
            );
            kept(&serde_json::from_str(&body).unwrap(), now)
        };
        let token = BASE64_STANDARD.encode("AWS:secret:with:colons");
        let lasts = |expires| given(&token, expires).unwrap().until.duration_since(now).unwrap();
        assert_eq!(lasts("1003600.5"), Duration::from_secs_f64(3600.5));
        assert_eq!(lasts("1e15"), LASTS);
        for odd in ["null", "-1", "1e300"] {
            assert_eq!(lasts(odd), Duration::ZERO, "{odd}");
        }
        let Login::Direct { user, password } = given(&token, "1.0").unwrap().login else { panic!() };
        assert_eq!((user.as_str(), password.as_str()), ("AWS", "secret:with:colons"));
        let long = BASE64_STANDARD.encode(format!("AWS:{}", "x".repeat(MAX_PASSWORD)));
        for token in ["", "secret", "QVdTOg==", &BASE64_STANDARD.encode("root:secret"), &long] {
            let error = given(token, "1.0").map(|_| ()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "its answer cannot be used: what should be a registry's password is none"
            );
        }
        kept(&Given { authorization_data: Vec::new() }, now).map(|_| ()).unwrap_err();
    }
}
