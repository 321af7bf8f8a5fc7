//! HTTP as others see it: through which proxy a request comes, and over how many connections.

mod api_server;
mod connections;
mod ecr;
mod proxies;
mod pushing;
mod referrers;
mod registries;
mod tunnels;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use argo_attest::store::s3::{Limits, S3Config};
use argo_attest::store::{BucketName, ObjectKey, S3Store};

/// An environment of these variables and no others.
fn variables(vars: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + use<> {
    let vars: Vec<(String, OsString)> = vars.iter().map(|(n, v)| ((*n).to_owned(), v.into())).collect();
    move |name| vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

fn key() -> ObjectKey {
    ObjectKey::new("k").unwrap()
}

/// A store at `endpoint`, with these variables besides.
fn store(endpoint: &str, bundle: &Path, vars: &[(&str, &str)]) -> S3Store {
    let mut all = vec![
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_S3", endpoint),
        ("AWS_CA_BUNDLE", bundle.to_str().unwrap()),
    ];
    all.extend_from_slice(vars);
    let config = S3Config::from_env(BucketName::new("bucket").unwrap(), None, &variables(&all)).unwrap();
    let limits = Limits {
        attempt: Duration::from_secs(10),
        total: Duration::from_millis(300),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(10),
        page: 1000,
        unreached: Duration::from_mins(1),
        ..Limits::default()
    };
    S3Store::new(S3Config { limits, ..config }).unwrap()
}
