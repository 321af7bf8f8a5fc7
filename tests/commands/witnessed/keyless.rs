//! The real Fulcio, for a token of an issuer on this machine, with the real log and timestamp authority: what others
//! say of what was signed so.

use std::process::Command;

use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::real::{Server, Servers, free, get, words};
use crate::installed::installed;
use crate::program::{Ended, run_arguments};
use crate::scripted::{Act, Plain, Scripted, reply};

const IDENTITY: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/attestor";

/// An issuer of service accounts' tokens.
struct Issuer {
    key: PrivateKey,
    server: Scripted,
}

impl Issuer {
    fn new() -> Self {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let spki = key.public().to_spki_der();
        let public = URL_SAFE_NO_PAD.encode(&spki[spki.len() - 32..]);
        let server = Scripted::choosing(Plain, move |request| {
            let at = format!("http://{}", request.header("host"));
            let body = match request.path.as_str() {
                "/keys" => json!({"keys": [
                    {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "1", "x": public},
                ]}),
                _ => json!({
                    "issuer": at, "jwks_uri": format!("{at}/keys"), "id_token_signing_alg_values_supported": ["EdDSA"],
                    "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                }),
            };
            Some(Act::Reply(reply(200, &[("Content-Type", "application/json")], body.to_string().as_bytes())))
        });
        Self { key, server }
    }

    fn token(&self, audience: &str) -> String {
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let now = Timestamp::now();
        let claims = json!({
            "iss": self.server.endpoint(), "sub": "system:serviceaccount:ci:attestor", "aud": [audience],
            "iat": now.as_second(), "exp": (now + SignedDuration::from_hours(1)).as_second(),
            "kubernetes.io": {
                "namespace": "ci", "pod": {"name": "p", "uid": "u"}, "serviceaccount": {"name": "attestor", "uid": "u"},
            },
        });
        let signed = format!("{}.{}", part(json!({"alg": "EdDSA", "kid": "1"})), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).as_bytes());
        format!("{signed}.{signature}")
    }
}

#[test]
#[ignore = "servers that take minutes to build: make interop"]
#[expect(clippy::too_many_lines, reason = "one Fulcio for all who verify")]
fn what_fulcio_certified_is_accepted_by_all_who_verify() {
    let Some(program) = installed("fulcio") else {
        return eprintln!("skipped: needs tests/interop/install fulcio (make interop)");
    };
    let Some(servers) = Servers::start() else { return };
    let (desk, issuer) = (&servers.signer.desk, Issuer::new());
    let at = issuer.server.endpoint();
    desk.write(
        "fulcio.yaml",
        format!(
            "oidc-issuers:\n  {at}:\n    issuer-url: {at}\n    client-id: sigstore\n    type: kubernetes\n"
        ),
    );
    let (grpc, metrics) = (free().port(), free().port());
    let fulcio = Server::start(&program, desk, |at| {
        let mut arguments = words(&format!(
            "serve --ca ephemeralca --config-path fulcio.yaml --host 127.0.0.1 --port {} --grpc-host 127.0.0.1 --grpc-port \
             {grpc} --metrics-port {metrics} --legacy-unix-domain-socket fulcio.sock",
            at.port()
        ));
        arguments.push("--ct-log-url=".to_owned());
        arguments
    });
    let chain: Value = serde_json::from_str(&get(fulcio.address, "/api/v2/trustBundle")).unwrap();
    let certificates = chain["chains"][0]["certificates"].as_array().unwrap().iter();
    let certificates: Vec<Value> = certificates
        .map(|pem| pem.as_str().unwrap().lines().filter(|line| !line.starts_with('-')).collect::<String>())
        .map(|der| json!({"rawBytes": der}))
        .collect();
    let mut root: Value = serde_json::from_slice(&desk.read("root.json")).unwrap();
    root["certificateAuthorities"] = json!([{
        "subject": {"organization": "local", "commonName": "fulcio"}, "uri": "https://fulcio.local",
        "certChain": {"certificates": certificates}, "validFor": {"start": "2026-01-01T00:00:00Z"},
    }]);
    desk.write("root.json", root.to_string());
    root["tlogs"] = json!([]);
    desk.write("no-log.json", root.to_string());
    desk.write("token", issuer.token("sigstore"));
    let (fulcio, time) = (fulcio.url(), servers.timestamps());
    let (one, two) = (servers.rekor1.url(), servers.rekor2.url());
    let stamped = ["--timestamp-url", time.as_str()];
    let run = |token: &str, asked: &[&str]| {
        let extra = [&["--fulcio-url", &fulcio, "--identity-token", token], asked].concat();
        desk.run(run_arguments(&["out"], &extra, "date +%N > out"))
    };
    for (root, asked, logs) in [
        ("root.json", [&["--rekor-url", &one][..], &stamped].concat(), 1),
        ("root.json", [&["--rekor-url", &two, "--rekor-version", "2"][..], &stamped].concat(), 1),
        ("no-log.json", stamped.to_vec(), 0),
    ] {
        run("token", &[&["--trusted-root", root], &asked[..]].concat())
            .with(0)
            .says(&format!("signed as     {IDENTITY}"));
        for (identity, code) in
            [(IDENTITY, 0), ("https://kubernetes.io/namespaces/ci/serviceaccounts/other", 1)]
        {
            let ours = desk.run([
                "verify",
                "--trusted-root",
                root,
                "--certificate-identity",
                identity,
                "--certificate-oidc-issuer",
                &at,
                "out",
            ]);
            ours.with(code);
            let mut cosign = Command::new("cosign");
            cosign
                .args(["verify-blob-attestation", "--bundle", "out.sigstore.json", "--trusted-root", root])
                .args([
                    "--certificate-identity",
                    identity,
                    "--certificate-oidc-issuer",
                    &at,
                    "--insecure-ignore-sct",
                ])
                .args(["--type", "slsaprovenance1", "--use-signed-timestamps"])
                .current_dir(desk.path("."));
            if logs == 0 {
                cosign.arg("--insecure-ignore-tlog");
            }
            match cosign.arg("out").output() {
                Ok(ran) => assert_eq!(ran.status.success(), code == 0, "{root} {identity}: {ran:?}"),
                Err(_) => eprintln!("skipped: needs cosign (make tools)"),
            }
            let Some(program) = installed("proven") else {
                eprintln!("skipped: needs tests/interop/install proven (make interop)");
                continue;
            };
            let ran = Command::new(program)
                .args([&format!("identity:{at} {identity}"), "out.sigstore.json", "out", root])
                .args([logs.to_string(), "1".to_owned()])
                .current_dir(desk.path("."))
                .output()
                .unwrap();
            assert_eq!(ran.status.success(), code == 0, "{root} {identity}: {ran:?}");
        }
    }
    // A token for somebody else is none, and is not sent; Fulcio would refuse it.
    desk.write("other", issuer.token("elsewhere"));
    let asked = [&["--trusted-root", "no-log.json"], &stamped[..]].concat();
    let kept: Ended = run("other", &asked);
    kept.with(77).says("it is not for the audience sigstore");
    let sent: Ended = run("other", &[&asked[..], &["--token-audience", "elsewhere"]].concat());
    sent.with(77).says("it refused: 400");
}
