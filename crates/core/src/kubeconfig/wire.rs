//! The parts of the files that are used.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct File {
    pub(super) current_context: Option<String>,
    pub(super) clusters: Option<Vec<Named<ClusterOf>>>,
    pub(super) contexts: Option<Vec<Named<ContextOf>>>,
    pub(super) users: Option<Vec<Named<UserOf>>>,
}

#[derive(Deserialize)]
pub(super) struct Named<T> {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) of: T,
}

#[derive(Deserialize, Default)]
pub(super) struct ClusterOf {
    #[serde(default)]
    pub(super) cluster: Option<Cluster>,
}

#[derive(Deserialize, Default)]
pub(super) struct ContextOf {
    #[serde(default)]
    pub(super) context: Option<Context>,
}

#[derive(Deserialize, Default)]
pub(super) struct UserOf {
    #[serde(default)]
    pub(super) user: Option<Credentials>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Cluster {
    pub(super) server: String,
    pub(super) certificate_authority: Option<String>,
    pub(super) certificate_authority_data: Option<String>,
    pub(super) insecure_skip_tls_verify: Option<bool>,
    pub(super) tls_server_name: Option<String>,
    pub(super) proxy_url: Option<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Context {
    pub(super) cluster: String,
    pub(super) user: String,
    pub(super) namespace: Option<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Credentials {
    pub(super) client_certificate: Option<String>,
    pub(super) client_certificate_data: Option<String>,
    pub(super) client_key: Option<String>,
    pub(super) client_key_data: Option<String>,
    pub(super) token: Option<String>,
    #[serde(rename = "tokenFile")]
    pub(super) token_file: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    #[serde(rename = "as")]
    pub(super) impersonated: Option<String>,
    pub(super) auth_provider: Option<Value>,
    pub(super) exec: Option<ExecOf>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExecOf {
    pub(super) api_version: String,
    pub(super) command: String,
    pub(super) args: Option<Vec<String>>,
    pub(super) env: Option<Vec<Variable>>,
    pub(super) provide_cluster_info: bool,
}

#[derive(Deserialize, Clone)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
}
