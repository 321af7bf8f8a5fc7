//! The API server as a person reaches it, by the files that kubectl reads, or, where there are none, a
//! pod by its service account.
//!
//! A command line's affair: programs that a file names are run for the person whose file it is. The
//! step's own containers use [`super::ApiServer`], which reads no such file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argo_attest_core::contract::place::SERVICE_ACCOUNT;
use argo_attest_core::kubeconfig::{self, Access, MAX_KUBECONFIG, Material, User};
use argo_attest_core::object_name::is_object_name;
use argo_attest_core::secret::{is_private, shown_path};
use argo_attest_core::text::brief;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::exchange::reason;
use super::exec::{self, Given};
use super::fault::AccessError;
use super::{Annotations, ClusterError};
use crate::environment::Env;
use crate::net::{self, Anchors, Client, Keep, Proxies, TooLong, Trust};
use crate::regular_file::{self, Links};
use crate::token::Token;

/// How long the server has for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a certificate, or of a key.
const MAX_PEM: usize = 256 * 1024;
/// Bytes of a token in a file.
const MAX_TOKEN: usize = 64 * 1024;
/// Workflows of one answer: as many as are read of one document, whatever their size.
const PAGE: usize = 20;
/// Who changes something, in `managedFields`.
const MANAGER: &str = "argo-attest";

/// An API server, and who asks it.
#[derive(Debug)]
pub struct Person {
    /// Its URL without a slash at the end.
    base: String,
    client: Client<String>,
    token: Bearer,
    namespace: Option<String>,
}

/// By what the server knows who asks.
enum Bearer {
    /// By a certificate, or not at all.
    None,
    Text(Zeroizing<String>),
    /// Read for each request: it is renewed.
    File(PathBuf),
    ServiceAccount(PathBuf),
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer(…)")
    }
}

#[derive(Serialize)]
struct Patch<'a> {
    metadata: PatchMetadata<'a>,
}

#[derive(Serialize)]
struct PatchMetadata<'a> {
    /// A precondition: a later object of the same name is not the one that was audited.
    uid: &'a str,
    annotations: &'a Annotations,
}

impl Person {
    /// By `KUBECONFIG`, else `~/.kube/config`, else the service account of the pod.
    ///
    /// Errors: [`AccessError`]. Nothing is asked yet.
    pub async fn from_env(env: &dyn Env) -> Result<Self, AccessError> {
        let files = files(env)?;
        if !files.is_empty() {
            let access = kubeconfig::access(&files)?;
            return Self::with(access, env).await;
        }
        let var = |name| env.var(name)?.into_string().ok().filter(|value| !value.is_empty());
        let (Some(host), Some(port)) = (var("KUBERNETES_SERVICE_HOST"), var("KUBERNETES_SERVICE_PORT"))
        else {
            return Err(AccessError::None);
        };
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        let directory = Path::new(SERVICE_ACCOUNT);
        let anchors = Anchors::read(&directory.join("ca.crt"))?;
        let namespace = regular_file::read(&directory.join("namespace"), Links::Followed, 1024).ok();
        let namespace = namespace.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(Self {
            base: format!("https://{host}:{port}"),
            client: client(anchors, env)?,
            token: Bearer::ServiceAccount(directory.join("token")),
            namespace: namespace.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        })
    }

    async fn with(access: Access, env: &dyn Env) -> Result<Self, AccessError> {
        let Access { server, authority, namespace, user } = access;
        let base = server.trim_end_matches('/').to_owned();
        let is_secure = base.starts_with("https://");
        let is_usable = is_secure || base.starts_with("http://");
        if !is_usable || base.contains(['@', '?', '#']) || base.parse::<hyper::Uri>().is_err() {
            return Err(AccessError::Server);
        }
        let anchors = match &authority {
            Some(Material::Bytes(pem)) => Anchors::of(pem)?,
            Some(Material::File(file)) => Anchors::read(file)?,
            None if is_secure => Trust::from_env(env).anchors()?,
            None => Anchors::none(),
        };
        let given = match user {
            User::Anonymous => Given::default(),
            User::Certificate { certificate, key } => {
                let pem = (read(&certificate, MAX_PEM)?, read(&key, MAX_PEM)?);
                Given { token: None, certificate: Some(pem) }
            }
            User::Token(Material::File(file)) => {
                let token = Bearer::File(file);
                return Self { base, client: client(anchors, env)?, token, namespace }.secured(is_secure);
            }
            User::Token(material) => {
                Given { token: Some(text(&read(&material, MAX_TOKEN)?)?), certificate: None }
            }
            User::Exec(exec) => exec::run(&exec, &server, authority.as_ref()).await?,
        };
        let Given { token, certificate } = given;
        let anchors = match certificate {
            Some((certificate, key)) => anchors.with_identity(&certificate, &key)?,
            None => anchors,
        };
        let token = token.map_or(Bearer::None, Bearer::Text);
        Self { base, client: client(anchors, env)?, token, namespace }.secured(is_secure)
    }

    /// Refuses to send a token where everybody can read it.
    fn secured(self, is_secure: bool) -> Result<Self, AccessError> {
        if is_secure || matches!(self.token, Bearer::None) { Ok(self) } else { Err(AccessError::Insecure) }
    }

    /// The namespace that is meant where none is named.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// A Workflow, as JSON of at most so many bytes.
    pub async fn workflow(&self, namespace: &str, name: &str, limit: usize) -> Result<Vec<u8>, ClusterError> {
        let path = format!("{}/{}", workflows(namespace)?, named("workflow", name)?);
        self.ask(Method::GET, &path, None, limit).await
    }

    /// A page of the namespace's Workflows, as JSON of at most so many bytes.
    pub async fn page(
        &self,
        namespace: &str,
        selector: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<u8>, ClusterError> {
        let mut path = format!("{}?limit={PAGE}", workflows(namespace)?);
        for (name, value) in [("labelSelector", selector), ("continue", after)] {
            if let Some(value) = value {
                path.extend(["&", name, "="]);
                path.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
            }
        }
        self.ask(Method::GET, &path, None, limit).await
    }

    /// Sets annotations of a Workflow, if it is still the one with this UID, and leaves all else.
    pub async fn annotate(
        &self,
        (namespace, name, uid): (&str, &str, &str),
        annotations: &Annotations,
    ) -> Result<(), ClusterError> {
        let path = format!("{}/{}?fieldManager={MANAGER}", workflows(namespace)?, named("workflow", name)?);
        let changed = Patch { metadata: PatchMetadata { uid, annotations } };
        let body = serde_json::to_string(&changed).map_err(|e| ClusterError::Address(e.into()))?;
        // Of the answer no more than that it is one: the object may be large.
        self.ask(Method::PATCH, &path, Some(body), argo_attest_core::audit::WORKFLOWS_LIMIT).await.map(drop)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        limit: usize,
    ) -> Result<Vec<u8>, ClusterError> {
        let asked = async {
            let request = self.request(method, path, body)?;
            let unreachable = |e: net::Source| ClusterError::Unreachable(e);
            let answer = self.client.send(request).await.map_err(|e| unreachable(e.into()))?;
            let (status, body) = (answer.status(), answer.into_body());
            if !status.is_success() {
                return Err(ClusterError::Refused { status: status.as_u16(), message: reason(body).await });
            }
            net::read(body, limit).await.map_err(|error| {
                if error.is::<TooLong>() { ClusterError::TooLarge { limit } } else { unreachable(error) }
            })
        };
        timeout(PATIENCE, asked).await.unwrap_or(Err(ClusterError::Late { seconds: PATIENCE.as_secs() }))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Request<String>, ClusterError> {
        let unusable = |error: net::Source| ClusterError::Address(error);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("argo-attest/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = self.token()? {
            let bearer = Zeroizing::new(format!("Bearer {}", token.as_str()));
            let mut bearer = HeaderValue::from_str(&bearer)
                .map_err(|_| unusable("the token is no header's value".into()))?;
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/merge-patch+json");
        }
        request.body(body.unwrap_or_default()).map_err(|e| unusable(e.into()))
    }

    fn token(&self) -> Result<Option<Zeroizing<String>>, ClusterError> {
        let file = match &self.token {
            Bearer::None => return Ok(None),
            Bearer::Text(token) => return Ok(Some(token.clone())),
            Bearer::ServiceAccount(file) => {
                let token = Token::read(file);
                let token = token.map_err(|source| ClusterError::Token { path: file.clone(), source })?;
                return Ok(Some(Zeroizing::new(token.as_str().to_owned())));
            }
            Bearer::File(file) => file,
        };
        let unread = |source: std::io::Error| ClusterError::Credentials { path: file.clone(), source };
        let bytes = regular_file::read(file, Links::Followed, MAX_TOKEN).map_err(|e| unread(e.into()))?;
        let token =
            text(&Zeroizing::new(bytes)).map_err(|_| unread(std::io::ErrorKind::InvalidData.into()))?;
        Ok(Some(token))
    }
}

/// The files that kubectl would read, as far as they are there.
fn files(env: &dyn Env) -> Result<Vec<(PathBuf, Vec<u8>)>, AccessError> {
    let named = env.var("KUBECONFIG").filter(|value| !value.is_empty());
    let paths: Vec<PathBuf> = match (&named, env.var("HOME").filter(|home| !home.is_empty())) {
        (Some(named), _) => {
            std::env::split_paths(named).filter(|path| !path.as_os_str().is_empty()).collect()
        }
        (None, Some(home)) => vec![Path::new(&home).join(".kube/config")],
        (None, None) => Vec::new(),
    };
    let (mut files, count) = (Vec::new(), paths.len());
    for path in paths {
        match regular_file::read(&path, Links::Followed, MAX_KUBECONFIG) {
            Ok(bytes) => files.push((path, bytes)),
            // kubectl passes over those that are not there.
            Err(regular_file::ReadError::Missing(_)) => {}
            Err(source) => return Err(AccessError::File { path: shown_path(&path), source }),
        }
    }
    if named.is_some() && files.is_empty() && count > 0 {
        return Err(AccessError::NoFile);
    }
    Ok(files)
}

fn client(anchors: Anchors, env: &dyn Env) -> Result<Client<String>, AccessError> {
    Ok(Client::new(anchors, Proxies::from_env(env)?, None, Keep::Alive)?)
}

fn read(material: &Material, limit: usize) -> Result<Zeroizing<Vec<u8>>, AccessError> {
    match material {
        Material::Bytes(bytes) => Ok(bytes.clone()),
        Material::File(path) => regular_file::read(path, Links::Followed, limit)
            .map(Zeroizing::new)
            .map_err(|source| AccessError::File { path: shown_path(path), source }),
    }
}

/// A token that may be sent: visible text, and no key.
fn text(bytes: &[u8]) -> Result<Zeroizing<String>, AccessError> {
    let bytes = bytes.trim_ascii();
    let is_plain = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(bytes) {
        Ok(token) if is_plain && (!is_private(bytes) || argo_attest_core::secret::is_signed_token(bytes)) => {
            Ok(Zeroizing::new(token.to_owned()))
        }
        _ => Err(AccessError::NoToken),
    }
}

fn workflows(namespace: &str) -> Result<String, ClusterError> {
    Ok(format!("/apis/argoproj.io/v1alpha1/namespaces/{}/workflows", named("namespace", namespace)?))
}

/// What may stand in a URL's path as it is.
fn named<'a>(what: &'static str, name: &'a str) -> Result<&'a str, ClusterError> {
    if is_object_name(name) { Ok(name) } else { Err(ClusterError::Name { what, name: brief(name, 100) }) }
}
