//! The API server, as a person reaches it by a kubeconfig.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use argo_attest::cluster::{Annotations, ClusterError, Person};
use serde_json::{Value, json};

use super::variables;
use crate::scripted::{Act, Scripted, reply};
use crate::tls::Authority;

const LIMIT: usize = 1024;

fn server(tls: crate::tls::Tls) -> Scripted {
    Scripted::choosing(tls, |_| Some(Act::Reply(reply(200, &[], b"{}"))))
}

/// A kubeconfig of this cluster and this user, in a directory.
fn kubeconfig(directory: &Path, server: &Scripted, authority: &Path, user: &Value) -> String {
    let config = json!({
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "ci"}}],
        "clusters": [{"name": "c", "cluster": {
            "server": format!("https://{}", server.address), "certificate-authority": authority,
        }}],
        "users": [{"name": "u", "user": user}],
    });
    let path = directory.join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn person(config: &str) -> Person {
    Person::from_env(&variables(&[("KUBECONFIG", config)])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_goes_to_the_server_that_the_authority_vouches_for() {
    let (Some(authority), Some(other)) = (Authority::new(), Authority::new()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = server(authority.server("IP:127.0.0.1", "2"));
    let user = json!({"token": "s3cret"});
    let config = kubeconfig(dir.path(), &server, &authority.bundle(), &user);
    let person = person(&config).await;
    assert_eq!(person.namespace(), Some("ci"));
    person.workflow("ci", "w", LIMIT).await.unwrap();
    let annotations = Annotations::from([("argo-attest.io/audit", "x".to_owned())]);
    person.annotate(("ci", "w", "u"), &annotations).await.unwrap();
    for request in server.requests() {
        assert_eq!(request.header("authorization"), "Bearer s3cret");
    }
    assert_eq!(
        server.asked()[1],
        "PATCH /apis/argoproj.io/v1alpha1/namespaces/ci/workflows/w?fieldManager=argo-attest"
    );
    assert!(!format!("{person:?}").contains("s3cret"));

    let config = kubeconfig(dir.path(), &server, &other.bundle(), &user);
    let error = self::person(&config).await.workflow("ci", "w", LIMIT).await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable(_)), "{error:?}");
    assert_eq!(server.requests().len(), 2, "nobody else gets the token");
    // Nor does anybody get it who is asked in the clear.
    let plain = Scripted::start([]);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(&format!("https://{}", server.address), &plain.endpoint())).unwrap();
    let error = Person::from_env(&variables(&[("KUBECONFIG", &config)])).await.unwrap_err();
    assert!(error.to_string().contains("over http"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_says_who_asks() {
    let Some(authority) = Authority::new() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (tls, [certificate, key]) = authority.mutual("IP:127.0.0.1");
    let server = server(tls);
    let user = json!({"client-certificate": certificate, "client-key": key});
    let config = kubeconfig(dir.path(), &server, &authority.bundle(), &user);
    person(&config).await.workflow("ci", "w", LIMIT).await.unwrap();
    assert_eq!(server.requests()[0].header("authorization"), "");
    let config = kubeconfig(dir.path(), &server, &authority.bundle(), &json!({"token": "t"}));
    person(&config).await.workflow("ci", "w", LIMIT).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gives_credentials() {
    let Some(authority) = Authority::new() else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = server(authority.server("IP:127.0.0.1", "2"));
    let program = |body: &str| {
        let path = dir.path().join("login");
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let exec = |version: &str| {
        json!({"exec": {
            "apiVersion": version, "command": "./login", "args": ["a b"], "provideClusterInfo": true,
            "env": [{"name": "WHO", "value": "me"}], "interactiveMode": "IfAvailable",
        }})
    };
    let config =
        kubeconfig(dir.path(), &server, &authority.bundle(), &exec("client.authentication.k8s.io/v1"));
    program(
        r#"[ "$1" = "a b" ] && [ "$WHO" = me ] && [ -n "$HOME$PATH" ] || exit 3
        case "$KUBERNETES_EXEC_INFO" in *\"server\":\"https://*) ;; *) exit 4;; esac
        printf '{"kind":"ExecCredential","status":{"token":"from-program"}}'"#,
    );
    person(&config).await.workflow("ci", "w", LIMIT).await.unwrap();
    assert_eq!(server.requests()[0].header("authorization"), "Bearer from-program");
    let fails = async |why: &str| {
        let error = Person::from_env(&variables(&[("KUBECONFIG", &config)])).await.unwrap_err();
        let told = argo_attest_core::text::causes(&error);
        assert!(told.contains(why) && !told.contains("s3cret"), "{told}");
    };
    program("echo s3cret; exit 1");
    fails("exit status: 1").await;
    program("echo s3cret");
    fails("no credential").await;
    std::fs::remove_file(dir.path().join("login")).unwrap();
    fails("not installed").await;
    kubeconfig(dir.path(), &server, &authority.bundle(), &exec("client.authentication.k8s.io/v1alpha1"));
    fails("apiVersion is not supported").await;
}
