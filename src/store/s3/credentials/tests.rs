use super::*;

#[test]
fn reads_secrets_as_kubernetes_mounts_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    std::fs::write(&path, "abc\n").unwrap();
    assert_eq!(read_secret(&path).unwrap().as_str(), "abc");
    for (bytes, why) in [
        (&b" \n"[..], "it is empty"),
        (b"\xff", "it is not valid UTF-8"),
        ("x".repeat(70_000).as_bytes(), "it is longer than 64 KiB"),
        (b"one\ntwo", "it has more than one line, or control characters"),
        (b"-----BEGIN PRIVATE KEY----- MC4C", "it holds a key of another kind, and not an access key"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        match read_secret(&path) {
            Err(ConfigError::File { source, .. }) => assert_eq!(source.to_string(), why),
            other => panic!("{other:?}"),
        }
    }
    // As the kubelet links it, and as whoever mounts a volume there may.
    let secret = dir.path().join("secrets/s3");
    std::fs::create_dir_all(secret.join("..2026")).unwrap();
    std::fs::write(secret.join("..2026/accesskey"), "abc").unwrap();
    std::os::unix::fs::symlink("..2026", secret.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/accesskey", secret.join("accesskey")).unwrap();
    assert_eq!(read_secret(&secret.join("accesskey")).unwrap().as_str(), "abc");
    std::os::unix::fs::symlink(dir.path().join("key"), secret.join("absolute")).unwrap();
    std::os::unix::fs::symlink("../../key", secret.join("relative")).unwrap();
    std::fs::write(&path, "abc").unwrap();
    for name in ["absolute", "relative"] {
        match read_secret(&secret.join(name)) {
            Err(ConfigError::File { source, .. }) => {
                assert_eq!(source.to_string(), "it leads out of the Secrets' folder");
            }
            other => panic!("{other:?}"),
        }
    }
    match read_secret(&dir.path().join("none\n")) {
        Err(ConfigError::File { path, .. }) => assert!(path.ends_with("none%0A"), "{path}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_goes_over_https_or_to_this_machine() {
    let read = |names: &'static [(&'static str, &'static str)]| {
        let env = move |name: &str| {
            let base = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x")];
            let found = names.iter().chain(&base).find(|(known, _)| *known == name)?.1;
            Some(std::ffi::OsString::from(found))
        };
        Credentials::from_env(&env).map_err(|error| error.to_string())
    };
    for good in ["https://sts.example.com", "http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost"]
    {
        read(Box::leak(Box::new([("AWS_ENDPOINT_URL_STS", good)]))).unwrap();
    }
    for (name, url) in [
        ("AWS_ENDPOINT_URL_STS", "http://sts.example.com"),
        ("AWS_ENDPOINT_URL", "http://minio:9000"),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1.example.com"),
        ("AWS_ENDPOINT_URL_STS", "http://localhost.example.com"),
    ] {
        let error = read(Box::leak(Box::new([(name, url)]))).unwrap_err();
        assert!(error.starts_with(&format!("{name} must be https")), "{error}");
    }
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "-----BEGIN PRIVATE KEY-----"),
        ("AWS_SECRET_ACCESS_KEY", "-----BEGIN\nMC4C"),
        ("AWS_SESSION_TOKEN", "AGE-SECRET-KEY-1"),
    ] {
        let all = [(name, value), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let error = read(Box::leak(Box::new(all))).unwrap_err();
        assert!(error.starts_with(name) && !error.contains("MC4C"), "{error}");
    }
}

#[test]
fn never_shows_a_secret() {
    let pair = KeyPair {
        access_key_id: "id".to_owned(),
        secret_access_key: Zeroizing::new("canary-1".to_owned()),
        session_token: Some(Zeroizing::new("canary-2".to_owned())),
    };
    let shown = format!("{:?} {:?}", Credentials::Static(pair.clone()), static_keys(&pair));
    assert!(!shown.contains("canary"), "{shown}");
}
