//! The API server as a pod reaches it: address from the environment, token and
//! authority from the service account's directory.
//!
//! The kubelet renews the token, so it is read for each request, and kept no
//! longer. What the directory does not hold is not asked for elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use argo_attest_core::argo::workflow::WORKFLOW_LIMIT;
use argo_attest_core::object_name::is_object_name;
use argo_attest_core::slsa::PodIdentity;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::exchange::{Exchange, Verb};
use super::{Annotations, ClusterError, Event, Lookup, POD_LIMIT, Pod};
use crate::environment::Env;
use crate::net::{Anchors, Client, InvalidProxy, Keep, Proxies, TrustError};
use crate::regular_file::{self, Links};
use crate::token::Token;

/// Bytes of a namespace's name, and more.
const MAX_NAMESPACE: u64 = 1024;
/// Bytes of an event's name before what makes it unique.
const EVENT_NAME: usize = 200;
/// Who says it, in events and in the pod's `managedFields`.
const REPORTER: &str = "argo-attest";

/// The API server, for one pod.
#[derive(Debug, Clone)]
pub struct ApiServer {
    host: String,
    port: String,
    credentials: PathBuf,
    pod: PodIdentity,
    /// As Go's client reads them, which Argo's own containers are.
    proxies: Result<Proxies, InvalidProxy>,
}

/// What is patched of a pod. Unknown fields are left out: in a merge patch (RFC
/// 7396) a null would remove what is there.
#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    annotations: &'a Annotations,
}

/// Which object an event is about; `kubectl describe` looks for it by all of these.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Regarding<'a> {
    api_version: &'static str,
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
}

/// What the service account's directory holds at this moment.
struct Access {
    token: Token,
    namespace: String,
}

impl Access {
    fn namespace(&self) -> Result<&str, ClusterError> {
        name("namespace", &self.namespace)
    }
}

impl ApiServer {
    /// The one that the environment names (`KUBERNETES_SERVICE_HOST` and
    /// `KUBERNETES_SERVICE_PORT`), if it does. Reads no file and sends nothing.
    pub fn from_env(env: &dyn Env, credentials: &Path, pod: &PodIdentity) -> Option<Self> {
        let var = |name| env.var(name)?.into_string().ok().filter(|value| !value.is_empty());
        let host = var("KUBERNETES_SERVICE_HOST")?;
        let port = var("KUBERNETES_SERVICE_PORT")?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(&host).to_owned();
        let proxies = Proxies::from_env(env);
        Some(Self { host, port, credentials: credentials.to_owned(), pod: pod.clone(), proxies })
    }

    async fn send(
        &self,
        verb: Verb,
        path: impl FnOnce(&str) -> String,
        body: impl FnOnce(&str) -> Value,
    ) -> Result<(), ClusterError> {
        let access = self.access()?;
        let namespace = access.namespace()?;
        self.exchange(&access, verb, path(namespace), body(namespace).to_string())?.run().await
    }

    async fn get(&self, path: impl FnOnce(&str) -> String, limit: usize) -> Result<Vec<u8>, ClusterError> {
        let access = self.access()?;
        let path = path(access.namespace()?);
        self.exchange(&access, Verb::Get, path, String::new())?.read(limit).await
    }

    fn access(&self) -> Result<Access, ClusterError> {
        // First of all: without a token nothing else is of interest.
        let file = self.credentials.join("token");
        let token = Token::read(&file).map_err(|source| ClusterError::Token { path: file, source })?;
        let namespace = match &self.pod.pod_namespace {
            Some(namespace) => namespace.clone(),
            None => text(&self.read("namespace", MAX_NAMESPACE)?).to_owned(),
        };
        Ok(Access { token, namespace })
    }

    fn exchange<'a>(
        &'a self,
        access: &'a Access,
        verb: Verb,
        path: String,
        body: String,
    ) -> Result<Exchange<'a>, ClusterError> {
        let token = access.token.as_str();
        Ok(Exchange { host: &self.host, port: &self.port, client: self.client()?, token, verb, path, body })
    }

    fn pod_name(&self) -> Result<&str, ClusterError> {
        name("pod", self.pod.pod_name.as_deref().ok_or(ClusterError::Unknown("the pod's name"))?)
    }

    /// Believes the cluster's own authority and no other.
    fn client(&self) -> Result<Client<String>, ClusterError> {
        let path = self.credentials.join("ca.crt");
        let anchors = Anchors::read(&path).map_err(|error| match error {
            TrustError::File { source, .. } => ClusterError::Credentials { path, source },
            TrustError::Bundle { .. } | TrustError::NoneFound => ClusterError::Authority { path },
        })?;
        let proxies = self.proxies.clone().map_err(|error| ClusterError::Address(error.into()))?;
        Client::new(anchors, proxies, None, Keep::Nothing)
            .map_err(|error| ClusterError::Address(error.into()))
    }

    fn read(&self, file: &str, limit: u64) -> Result<Vec<u8>, ClusterError> {
        let path = self.credentials.join(file);
        read(&path, limit).map_err(|source| ClusterError::Credentials { path, source })
    }
}

#[async_trait]
impl Lookup for ApiServer {
    async fn own_pod(&self) -> Result<Vec<u8>, ClusterError> {
        let pod = self.pod_name()?;
        self.get(|namespace| format!("/api/v1/namespaces/{namespace}/pods/{pod}"), POD_LIMIT).await
    }

    async fn workflow(&self, workflow: &str) -> Result<Vec<u8>, ClusterError> {
        let workflow = name("workflow", workflow)?;
        let path = |namespace: &str| {
            format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows/{workflow}")
        };
        self.get(path, WORKFLOW_LIMIT).await
    }
}

#[async_trait]
impl Pod for ApiServer {
    async fn annotate(&self, annotations: &Annotations) -> Result<(), ClusterError> {
        let pod = self.pod_name()?;
        let metadata = Metadata {
            // A precondition: a later pod of the same name is not ours to annotate.
            uid: self.pod.pod_uid.as_deref(),
            annotations,
        };
        let path =
            |namespace: &str| format!("/api/v1/namespaces/{namespace}/pods/{pod}?fieldManager={REPORTER}");
        self.send(Verb::MergePatch, path, |_| json!({"metadata": metadata})).await
    }

    async fn record(&self, event: &Event) -> Result<(), ClusterError> {
        let pod = self.pod_name()?;
        let path = |namespace: &str| format!("/api/v1/namespaces/{namespace}/events?fieldManager={REPORTER}");
        self.send(Verb::Post, path, |namespace| self.event(namespace, pod, event, Timestamp::now())).await
    }
}

impl ApiServer {
    fn event(&self, namespace: &str, pod: &str, event: &Event, now: Timestamp) -> Value {
        // Cut between two labels or in one; a name may end in neither `-` nor `.`.
        let stem = pod.get(..EVENT_NAME).unwrap_or(pod).trim_end_matches(['-', '.']);
        let second = format!("{now:.0}");
        let regarding = Regarding {
            api_version: "v1",
            kind: "Pod",
            namespace,
            name: pod,
            uid: self.pod.pod_uid.as_deref(),
        };
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "namespace": namespace,
                "name": format!("{stem}.{:x}", now.as_nanosecond()),
            },
            "involvedObject": regarding,
            "type": event.kind.as_str(),
            "reason": event.reason,
            "message": event.message,
            "source": {"component": REPORTER},
            "reportingComponent": REPORTER,
            "reportingInstance": pod,
            "firstTimestamp": second,
            "lastTimestamp": second,
            "count": 1,
        })
    }
}

/// What may stand in a URL's path as it is.
fn name<'a>(what: &'static str, name: &'a str) -> Result<&'a str, ClusterError> {
    if is_object_name(name) {
        return Ok(name);
    }
    Err(ClusterError::Name { what, name: argo_attest_core::text::brief(name, 100) })
}

fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(regular_file::read(path, Links::Followed, limit)?)
}

/// As text without white space around it; nothing if it is none.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cluster::EventType;

    fn server(vars: &[(&str, &str)]) -> Option<ApiServer> {
        let env = |name: &str| Some(OsString::from(vars.iter().find(|(known, _)| *known == name)?.1));
        ApiServer::from_env(&env, Path::new("/none"), &PodIdentity::default())
    }

    #[test]
    fn is_where_the_environment_says_or_nowhere() {
        assert!(server(&[]).is_none());
        assert!(server(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]).is_none());
        assert!(server(&[("KUBERNETES_SERVICE_HOST", ""), ("KUBERNETES_SERVICE_PORT", "443")]).is_none());
        for (host, bare) in [("10.0.0.1", "10.0.0.1"), ("fd00::1", "fd00::1"), ("[fd00::1]", "fd00::1")] {
            let made = server(&[("KUBERNETES_SERVICE_HOST", host), ("KUBERNETES_SERVICE_PORT", "443")]);
            assert_eq!(made.unwrap().host, bare);
        }
    }

    #[test]
    fn only_names_go_into_a_path() {
        for good in ["a", "build-x7k2-1", "a.b", "0"] {
            assert_eq!(name("pod", good).unwrap(), good);
        }
        for bad in ["", "..", "a/b", "-a", "a-", "A", "a b", "a?b", "a%2f", "ä", &"a".repeat(254)] {
            name("pod", bad).unwrap_err();
        }
    }

    #[test]
    fn an_event_is_about_the_pod_and_has_a_name_of_its_own() {
        let pod_name = format!("{}.{}", "a".repeat(199), "b".repeat(50));
        let server = ApiServer {
            host: String::new(),
            port: String::new(),
            credentials: PathBuf::new(),
            pod: PodIdentity { pod_uid: Some("u1".into()), ..PodIdentity::default() },
            proxies: Ok(Proxies::none()),
        };
        let event = Event { kind: EventType::Warning, reason: "NotAttested", message: "m".into() };
        let now: Timestamp = "2026-11-23T10:00:00.5Z".parse().unwrap();
        let made = server.event("ci", &pod_name, &event, now);
        let own = made["metadata"]["name"].as_str().unwrap();
        assert!(own.starts_with(&format!("{}.", "a".repeat(199))), "{own}");
        name("event", own).unwrap();
        assert_eq!(made["involvedObject"]["uid"], "u1");
        assert_eq!(made["involvedObject"]["name"], pod_name.as_str());
        assert_eq!(made["lastTimestamp"], "2026-11-23T10:00:00Z");
        let later = server.event("ci", &pod_name, &event, now + jiff::SignedDuration::from_nanos(1));
        assert_ne!(later["metadata"]["name"], made["metadata"]["name"]);
    }
}
