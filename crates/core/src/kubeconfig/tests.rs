use super::*;

const WHOLE: &str = "\
apiVersion: v1
kind: Config
current-context: b
contexts:
- {name: a, context: {cluster: c, user: u}}
- {name: b, context: {cluster: c, user: v, namespace: ci}}
clusters:
- name: c
  cluster: {server: 'https://k8s.example:6443', certificate-authority: ca.crt}
users:
- {name: u, user: {token: s3cret}}
- name: v
  user:
    client-certificate-data: QUJD
    client-key-data: WFla
";

fn read(text: &str) -> Result<Access, KubeconfigError> {
    access(&[(PathBuf::from("/home/me/.kube/config"), text.as_bytes().to_vec())])
}

fn bytes(text: &str) -> Material {
    Material::Bytes(Zeroizing::new(text.as_bytes().to_vec()))
}

#[test]
fn the_current_context_is_taken() {
    let found = read(WHOLE).unwrap();
    assert_eq!(
        found,
        Access {
            server: "https://k8s.example:6443".into(),
            authority: Some(Material::File("/home/me/.kube/ca.crt".into())),
            namespace: Some("ci".into()),
            user: User::Certificate { certificate: bytes("ABC"), key: bytes("XYZ") },
        }
    );
    let other = read(&WHOLE.replace("current-context: b", "current-context: a")).unwrap();
    assert_eq!(other.user, User::Token(bytes("s3cret")));
    assert!(!format!("{other:?}").contains("s3cret"));
    // As kubectl makes it, with nulls.
    let none = read("clusters: null\ncontexts: null\ncurrent-context: \"\"\nusers: null\n");
    assert_eq!(none, Err(KubeconfigError::NoContext));
}

#[test]
fn of_several_files_the_first_counts() {
    let first = (PathBuf::from("/x/1"), b"current-context: a\n".to_vec());
    let second = (PathBuf::from("/y/2"), WHOLE.as_bytes().to_vec());
    let found = access(&[first, second]).unwrap();
    assert_eq!(found.user, User::Token(bytes("s3cret")));
    assert_eq!(found.authority, Some(Material::File("/y/ca.crt".into())));
}

#[test]
fn programs_are_named_as_they_are() {
    let exec = |command: &str| {
        let user = format!(
            "- {{name: v, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command}, \
             args: [a], env: [{{name: N, value: v}}], provideClusterInfo: true}}}}}}"
        );
        let text = WHOLE.split("- name: v").next().unwrap().to_owned() + &user;
        match read(&text).unwrap().user {
            User::Exec(exec) => exec,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(exec("aws").command, Path::new("aws"));
    assert_eq!(exec("./aws").command, Path::new("/home/me/.kube/./aws"));
    assert_eq!(exec("bin/aws").command, Path::new("/home/me/.kube/bin/aws"));
    let found = exec("/bin/aws");
    assert_eq!(found.command, Path::new("/bin/aws"));
    assert_eq!((found.arguments, found.variables), (vec!["a".into()], vec![("N".into(), "v".into())]));
    assert!(found.wants_cluster);
}

/// What would lead elsewhere, or ask as somebody else, is never passed over.
#[test]
fn what_is_not_understood_is_an_error() {
    for (from, to, what) in [
        ("certificate-authority: ca.crt", "insecure-skip-tls-verify: true", "insecure-skip-tls-verify"),
        ("certificate-authority: ca.crt", "tls-server-name: x", "tls-server-name"),
        ("certificate-authority: ca.crt", "proxy-url: http://x", "proxy-url"),
        ("certificate-authority: ca.crt", "certificate-authority-data: '!'", "certificate-authority-data"),
        ("    client-key-data: WFla\n", "", "client-certificate"),
        ("    client-key-data: WFla\n", "    username: x\n", "username"),
        ("    client-key-data: WFla\n", "    as: x\n", "as"),
        ("    client-key-data: WFla\n", "    auth-provider: {name: gcp}\n", "auth-provider"),
        ("cluster: c, user: v", "cluster: d, user: v", "cluster"),
        ("cluster: c, user: v", "cluster: c, user: w", "user"),
        ("current-context: b", "current-context: c", "context"),
    ] {
        let changed = WHOLE.replacen(from, to, 1);
        assert_ne!(changed, WHOLE);
        let error = read(&changed).unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
    }
    for odd in
        ["- a", "current-context: [s3cret]", "users: [{name: u, user: {token: [s3cret]}}]", "a: &a s3cret"]
    {
        let error = read(odd).unwrap_err();
        assert!(matches!(error, KubeconfigError::Malformed { .. }), "{odd}: {error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
