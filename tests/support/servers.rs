//! Real S3 servers: s3s-fs in this process, versitygw beside it.

use std::net::{SocketAddr, TcpListener as StdListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use argo_attest::store::s3::{Credentials, KeyPair, S3Config, Trust};
use argo_attest::store::{BucketName, ObjectKey};
use hyper_util::rt::TokioIo;

pub(crate) const ACCESS_KEY: &str = "test-access-key";
pub(crate) const SECRET_KEY: &str = "test-secret-key";
pub(crate) const BUCKET: &str = "bucket";

/// Settings for a server on this machine.
pub(crate) fn config(endpoint: &str, secret: &str) -> S3Config {
    let credentials = Credentials::Static(KeyPair {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: secret.to_owned().into(),
        session_token: None,
    });
    let mut config = S3Config::new(BucketName::new(BUCKET).unwrap(), None, credentials);
    config.endpoint = Some(endpoint.parse().unwrap());
    config.region = Some("us-east-1".to_owned());
    config.prefix = Some(ObjectKey::new("pre fix").unwrap());
    config.trust = Trust::System;
    // A listing of a few objects takes several requests.
    config.limits.page = 10;
    config
}

/// Serves s3s-fs from a task of the current runtime; ends with it.
///
/// One request at a time: s3s-fs looks whether an object is there when a PUT
/// starts and not when it ends, so that of racing ones all would win.
pub(crate) async fn s3s_fs(dir: &Path) -> String {
    std::fs::create_dir(dir.join(BUCKET)).unwrap();
    let mut builder = s3s::service::S3ServiceBuilder::new(s3s_fs::FileSystem::new(dir).unwrap());
    builder.set_auth(s3s::auth::SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let turn = std::sync::Arc::new(tokio::sync::Mutex::new(()));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (service, turn) = (service.clone(), std::sync::Arc::clone(&turn));
            let handle = hyper::service::service_fn(move |request| {
                let (service, turn) = (service.clone(), std::sync::Arc::clone(&turn));
                async move {
                    let _turn = turn.lock().await;
                    hyper::service::Service::call(&service, request).await
                }
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), handle);
            tokio::spawn(connection);
        }
    });
    format!("http://{address}")
}

/// Amazon's own client.
pub(crate) fn sdk(endpoint: &str) -> aws_sdk_s3::Client {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_http_client::tls;
    let context = tls::TlsContext::builder().with_trust_store(tls::TrustStore::empty()).build().unwrap();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::rustls(tls::rustls_provider::CryptoMode::Ring))
        .tls_context(context)
        .build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .http_client(http)
        .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test"))
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// A versitygw process, stopped when dropped.
pub(crate) struct VersityGw {
    process: Child,
    pub(crate) endpoint: String,
    dir: tempfile::TempDir,
}

impl VersityGw {
    /// `None`, with a word about it, where versitygw is not installed. In CI it must be.
    pub(crate) async fn start() -> Option<Self> {
        let Some(binary) = find() else {
            crate::skip::skip("versitygw");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let (data, versions) = (dir.path().join("data"), dir.path().join("versions"));
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(&versions).unwrap();
        let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(binary)
            .args(["--port", &address.to_string(), "posix", "--versioning-dir"])
            .args([&versions, &data])
            .env("ROOT_ACCESS_KEY", ACCESS_KEY)
            .env("ROOT_SECRET_KEY", SECRET_KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let gateway = Self { process, endpoint: format!("http://{address}"), dir };
        wait_for(address);
        gateway.make_bucket().await;
        Some(gateway)
    }

    async fn make_bucket(&self) {
        use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
        let s3 = self.sdk();
        s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(enabled).send().await.unwrap();
    }

    /// Where the bucket's objects lie, as files.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.dir.path().join("data").join(BUCKET)
    }

    /// A client of its own, for what a store cannot do.
    pub(crate) fn sdk(&self) -> aws_sdk_s3::Client {
        sdk(&self.endpoint)
    }
}

impl Drop for VersityGw {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn find() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let tools = std::env::var_os("ARGO_ATTEST_TOOLS").map(|dir| PathBuf::from(dir).join("bin"));
    let cache = std::env::var_os("HOME").map(|dir| PathBuf::from(dir).join(".cache/argo-attest-cluster/bin"));
    std::env::split_paths(&on_path)
        .chain(tools)
        .chain(cache)
        .map(|dir| dir.join("versitygw"))
        .find(|path| path.is_file())
}

fn wait_for(address: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline, "nothing listens on {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
