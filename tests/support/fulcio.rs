//! An authority that gives certificates for identity tokens, true and false: Fulcio's interface, over openssl's
//! certificate authority. It believes every token.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::openssl_command::{certificate, openssl};
use crate::scripted::{Act, Plain, Scripted, reply};

pub(crate) const ISSUER: &str = "https://kubernetes.default.svc";
pub(crate) const IDENTITY: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/attestor";

/// A token that Kubernetes projects for a service account, good for an hour.
pub(crate) fn token() -> String {
    token_of("attestor", Timestamp::now() + SignedDuration::from_hours(1))
}

/// The same of another account, or until another time.
pub(crate) fn token_of(account: &str, until: Timestamp) -> String {
    token_to(account, until, &json!(["sigstore"]))
}

/// The same for other audiences.
pub(crate) fn token_to(account: &str, until: Timestamp, audiences: &Value) -> String {
    let claims = json!({
        "iss": ISSUER, "sub": format!("system:serviceaccount:ci:{account}"), "aud": audiences,
        "exp": until.as_second(),
        "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": account, "uid": "u"}},
    });
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!(
        "{}.{}.{}",
        part(&json!({"alg": "RS256"})),
        part(&claims),
        URL_SAFE_NO_PAD.encode("canary-of-a-signature")
    )
}

/// In what its answer is another than it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateLie {
    None,
    /// Its certificate is for somebody else's key.
    OtherKey,
    /// It ended already.
    Expired,
    /// It begins later.
    ToCome,
    /// It begins so soon that a clock may be wrong, and not when it is signed with.
    Soon,
    /// Somebody else vouched.
    OtherIssuer,
    /// It is for somebody else.
    OtherIdentity,
    /// It is for nobody.
    Nobody,
    /// It is not for signing code.
    OtherPurpose,
}

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It gives certificates.
    Gives,
    /// It gives none, and would not if it were asked again.
    Closed,
    /// It gives none now.
    Busy,
    /// It does not answer.
    Hangs,
}

/// The authority.
pub(crate) struct Fulcio {
    dir: tempfile::TempDir,
    turn: Mutex<()>,
    /// Seconds that a certificate holds.
    holds: i64,
    mood: Mutex<Mood>,
}

const CONFIG: &str = "[ca]
default_ca=authority
[authority]
database=index.txt
new_certs_dir=.
default_md=sha256
rand_serial=yes
policy=anything
unique_subject=no
[anything]
commonName=optional
[root]
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
[req]
distinguished_name=name
[name]
";

impl Fulcio {
    pub(crate) fn new() -> Self {
        Self::holding(600)
    }

    /// One whose certificates hold for so many seconds.
    pub(crate) fn holding(holds: i64) -> Self {
        let (turn, mood) = (Mutex::default(), Mutex::new(Mood::Gives));
        let fulcio = Self { dir: tempfile::tempdir().unwrap(), turn, holds, mood };
        fs::write(fulcio.path("ca.cnf"), CONFIG).unwrap();
        fs::write(fulcio.path("index.txt"), "").unwrap();
        fulcio.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=fulcio -config ca.cnf \
             -extensions root -keyout ca.key -out ca.pem",
        );
        fulcio
    }

    pub(crate) fn turns(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn openssl(&self, command: &str) -> Vec<u8> {
        openssl(self.dir.path(), command)
    }

    /// As a trusted root has it.
    pub(crate) fn root(&self) -> Value {
        let der = STANDARD.encode(certificate(&self.path("ca.pem")));
        // Its first certificate is made after its root was, by a clock of seconds.
        json!({
            "subject": {"organization": "example.com", "commonName": "fulcio"},
            "uri": "https://fulcio.example.com",
            "certChain": {"certificates": [{"rawBytes": der}]},
            "validFor": {"start": "2026-01-01T00:00:00Z"},
        })
    }

    /// What it answers to a request.
    pub(crate) fn answer(&self, request: &[u8], lie: CertificateLie) -> Value {
        let _turn = self.turn.lock().unwrap();
        let request: Value = serde_json::from_slice(request).unwrap();
        let token = request["credentials"]["oidcIdentityToken"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let csr = STANDARD.decode(request["certificateSigningRequest"].as_str().unwrap()).unwrap();
        fs::write(self.path("csr.pem"), csr).unwrap();
        self.openssl("req -verify -in csr.pem -noout -config ca.cnf");
        if lie == CertificateLie::OtherKey {
            self.openssl(
                "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -config ca.cnf -keyout \
                 other.key -out csr.pem",
            );
        }
        let kubernetes = &claims["kubernetes.io"];
        let name = format!(
            "https://kubernetes.io/namespaces/{}/serviceaccounts/{}",
            kubernetes["namespace"].as_str().unwrap(),
            kubernetes["serviceaccount"]["name"].as_str().unwrap()
        );
        let name = if lie == CertificateLie::OtherIdentity { format!("{name}-2") } else { name };
        let issuer = claims["iss"].as_str().unwrap();
        let issuer = if lie == CertificateLie::OtherIssuer { "https://issuer.example.com" } else { issuer };
        let names = if lie == CertificateLie::Nobody {
            String::new()
        } else {
            format!("subjectAltName=critical,URI:{name}\n")
        };
        let purpose = if lie == CertificateLie::OtherPurpose { "serverAuth" } else { "codeSigning" };
        let leaf = format!(
            "[leaf]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage={purpose}\n{names}\
             1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{issuer}\n"
        );
        fs::write(self.path("leaf.cnf"), leaf).unwrap();
        let now = Timestamp::now();
        let shift = match lie {
            CertificateLie::Expired => -3600,
            CertificateLie::ToCome => 3600,
            CertificateLie::Soon => 120,
            _ => 0,
        };
        let time = |seconds| {
            (now + SignedDuration::from_secs(shift + seconds)).strftime("%Y%m%d%H%M%SZ").to_string()
        };
        self.openssl(&format!(
            "ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in csr.pem -subj /CN=x -notext -startdate \
             {} -enddate {} -extfile leaf.cnf -extensions leaf -out leaf.pem",
            time(0),
            time(self.holds),
        ));
        let pem = |name: &str| fs::read_to_string(self.path(name)).unwrap();
        json!({"signedCertificateDetachedSct": {"chain": {"certificates": [pem("leaf.pem"), pem("ca.pem")]}}})
    }

    /// A server that answers so.
    pub(crate) fn serve(self: &Arc<Self>, lie: CertificateLie) -> Scripted {
        let fulcio = Arc::clone(self);
        Scripted::choosing(Plain, move |request| {
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/v2/signingCert"));
            let mood = *fulcio.mood.lock().unwrap();
            let no = |status| {
                let words = br#"{"code":7,"message":"closed today","details":[]}"#;
                Some(Act::Reply(reply(status, &[], words)))
            };
            match mood {
                Mood::Gives => {}
                Mood::Closed => return no(403),
                Mood::Busy => return no(503),
                Mood::Hangs => return Some(Act::Hang),
            }
            let answer = fulcio.answer(&request.body, lie).to_string();
            Some(Act::Reply(reply(200, &[("Content-Type", "application/json")], answer.as_bytes())))
        })
    }
}
