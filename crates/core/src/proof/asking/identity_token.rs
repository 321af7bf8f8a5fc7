//! An identity token (`OpenID` Connect Core 1.0, a JSON Web Token): what it says of whom it is for. Nobody here can
//! tell whether it is true; whoever issues a certificate for it can.

use std::fmt;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::json::{self, AtMost, Limits, Object};
use crate::secret::is_signed_token;

/// Bytes of a token that are read. Kubernetes's have one or two thousand.
const MAX_TOKEN: usize = 16 * 1024;
/// Audiences of one.
const MAX_AUDIENCES: usize = 16;
/// With what the names begin by which Kubernetes' API server is the audience of a token, whatever it is asked as.
const API_SERVER: &str = "https://kubernetes.default.svc";
/// Characters in a row that tell that a text repeats something, and not only has a word in common with it.
const TELLING: usize = 8;

/// Why text is no identity token. Nothing of it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIdentityToken {
    /// Not three parts of base64url.
    #[error("it is not a JSON Web Token (three parts of base64url)")]
    Form,
    /// What it says is no JSON, or no claims. The parser's reason is left out: it quotes them.
    #[error("its claims cannot be read")]
    Claims,
    /// It does not say who vouches for whom.
    #[error("it does not say who issued it and for whom (`iss`, `sub`)")]
    Nobody,
}

/// Why a token is not for whom it would be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtherAudience {
    /// It is good with whoever issued it: for a service account, with Kubernetes' own API server.
    #[error("it is for the API server, or whoever issued it, and whoever has it can act there")]
    Issuer,
    /// It does not say for whom it is.
    #[error("it does not say for which audience it is (`aud`)")]
    None,
    /// It is for somebody else.
    #[error("it is not for the audience {expected}")]
    Other {
        /// For whom it should be.
        expected: String,
    },
    /// It is for others, too, who would take it from whomever it is sent to.
    #[error("it is for others than the audience {expected}, too")]
    More {
        /// For whom alone it should be.
        expected: String,
    },
}

/// What a token says: who vouches, for whom, to whom, until when.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityToken {
    issuer: String,
    subject: String,
    /// What whoever issues certificates may make of it, beside the subject.
    others: Vec<String>,
    audiences: Vec<String>,
    expires: Option<Timestamp>,
}

/// Nothing of it.
impl fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityToken(…)")
    }
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default, deserialize_with = "json::or_unset")]
    iss: Option<String>,
    #[serde(default, deserialize_with = "json::or_unset")]
    sub: Option<String>,
    #[serde(default, deserialize_with = "json::or_unset")]
    exp: Option<serde_json::Number>,
    #[serde(default, deserialize_with = "json::or_unset")]
    aud: Option<Audiences>,
    #[serde(default, deserialize_with = "json::or_unset")]
    email: Option<String>,
    #[serde(default, deserialize_with = "json::or_unset")]
    job_workflow_ref: Option<String>,
    #[serde(default, deserialize_with = "json::or_unset")]
    ci_config_ref_uri: Option<String>,
    #[serde(default, rename = "kubernetes.io", deserialize_with = "json::object_or_none")]
    kubernetes: Option<Kubernetes>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Some(AtMost<String, MAX_AUDIENCES>),
}

#[derive(Deserialize)]
struct Kubernetes {
    namespace: String,
    #[serde(rename = "serviceaccount")]
    service_account: Object<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl IdentityToken {
    /// Reads its claims. Its signature is for others to check.
    pub fn read(token: &str) -> Result<Self, InvalidIdentityToken> {
        if token.len() > MAX_TOKEN || !is_signed_token(token.as_bytes()) {
            return Err(InvalidIdentityToken::Form);
        }
        let claims = claims(token).ok_or(InvalidIdentityToken::Form)?;
        let claims: Claims =
            json::parse(&claims, Limits::from(MAX_TOKEN)).map_err(|_| InvalidIdentityToken::Claims)?;
        let (Some(issuer), Some(subject)) = (claims.iss, claims.sub) else {
            return Err(InvalidIdentityToken::Nobody);
        };
        if issuer.is_empty() || subject.is_empty() {
            return Err(InvalidIdentityToken::Nobody);
        }
        let account =
            claims.kubernetes.map(|Kubernetes { namespace, service_account: Object(Named { name }) }| {
                format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}")
            });
        let workflow = claims.job_workflow_ref.map(|path| format!("https://github.com/{path}"));
        let pipeline = claims.ci_config_ref_uri.map(|uri| format!("https://{uri}"));
        let others = [account, claims.email, workflow, pipeline].into_iter().flatten().collect();
        // One without an end, or with none that is known, is its issuer's affair.
        let expires = claims.exp.and_then(|exp| Timestamp::from_second(exp.as_i64()?).ok());
        let audiences = match claims.aud {
            None => Vec::new(),
            Some(Audiences::One(one)) => vec![one],
            Some(Audiences::Some(AtMost(all))) => all,
        };
        Ok(Self { issuer, subject, others, audiences, expires })
    }

    /// Who vouches.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Until when it counts, if it says so.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Whether a certificate for this name is one that Fulcio makes of it: of the subject itself, with the
    /// domain of its configuration behind a `!`, of a mail address, a service account, or a CI system's
    /// workflow.
    pub(super) fn may_be(&self, name: &str) -> bool {
        let with_domain =
            || name.strip_prefix(self.subject.as_str()).is_some_and(|rest| rest.starts_with('!'));
        name == self.subject || self.others.iter().any(|other| other == name) || with_domain()
    }

    /// That it is for this audience, and for nobody else: what it is sent to could use it with all others. One that is
    /// good with who issued it never is.
    ///
    /// Errors: [`OtherAudience`].
    pub fn check_audience(&self, expected: &str) -> Result<(), OtherAudience> {
        let is_api_server = |audience: &String| *audience == self.issuer || audience.starts_with(API_SERVER);
        if self.audiences.iter().any(is_api_server) {
            return Err(OtherAudience::Issuer);
        }
        match self.audiences.as_slice() {
            [] => Err(OtherAudience::None),
            [one] if one == expected => Ok(()),
            all if all.iter().any(|one| one == expected) => {
                Err(OtherAudience::More { expected: expected.to_owned() })
            }
            _ => Err(OtherAudience::Other { expected: expected.to_owned() }),
        }
    }

    /// Whether a text has a part of a token as it is sent.
    pub fn is_copied(token: &str, text: &str) -> bool {
        let parts = token.split('.').map(str::as_bytes);
        let mut parts = parts.flat_map(|part| part.windows(TELLING));
        parts.any(|part| std::str::from_utf8(part).is_ok_and(|part| text.contains(part)))
    }

    /// Whether a text repeats something of a token: a part of it as it is sent, or what it says.
    pub fn is_repeated(token: &str, text: &str) -> bool {
        if Self::is_copied(token, text) {
            return true;
        }
        let said = claims(token).and_then(|claims| serde_json::from_slice(&claims).ok());
        said.is_some_and(|said| is_told(&said, text))
    }
}

/// The JSON of its claims.
fn claims(token: &str) -> Option<Zeroizing<Vec<u8>>> {
    token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).map(Zeroizing::new)
}

/// Whether a text has a string of these in it that is long enough to tell.
fn is_told(said: &Value, text: &str) -> bool {
    match said {
        Value::String(said) => said.len() >= TELLING && text.contains(said.as_str()),
        Value::Array(all) => all.iter().any(|said| is_told(said, text)),
        Value::Object(all) => all.values().any(|said| is_told(said, text)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}.c2lnbmVk", part(&json!({"alg": "ES256"})), part(claims))
    }

    #[test]
    fn a_service_account_is_known_by_its_address() {
        let claims = json!({
            "iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:ci:build", "exp": 1_790_000_000,
            "aud": ["sigstore"],
            "kubernetes.io": {"namespace": "ci", "pod": {"name": "p", "uid": "u"},
                              "serviceaccount": {"name": "build", "uid": "u"}},
        });
        let read = IdentityToken::read(&token(&claims)).unwrap();
        assert_eq!(read.issuer(), "https://kubernetes.default.svc");
        assert_eq!(read.expires(), Timestamp::from_second(1_790_000_000).ok());
        assert!(read.may_be("https://kubernetes.io/namespaces/ci/serviceaccounts/build"));
        for other in ["https://kubernetes.io/namespaces/ci/serviceaccounts/other", "ci", "", "*"] {
            assert!(!read.may_be(other), "{other}");
        }
    }

    #[test]
    fn others_are_known_as_fulcio_knows_them() {
        let claims = json!({
            "iss": "https://token.actions.githubusercontent.com", "sub": "repo:o/r:ref:refs/heads/main",
            "job_workflow_ref": "o/r/.github/workflows/w.yml@refs/heads/main", "email": "a@example.com",
            "ci_config_ref_uri": "gitlab.com/o/r//.gitlab-ci.yml@refs/heads/main",
        });
        let read = IdentityToken::read(&token(&claims)).unwrap();
        for name in [
            "https://github.com/o/r/.github/workflows/w.yml@refs/heads/main",
            "https://gitlab.com/o/r//.gitlab-ci.yml@refs/heads/main",
            "a@example.com",
            "repo:o/r:ref:refs/heads/main",
            "repo:o/r:ref:refs/heads/main!example.com",
        ] {
            assert!(read.may_be(name), "{name}");
        }
        assert!(!read.may_be("repo:o/r:ref:refs/heads/main2!example.com"));
        assert_eq!(read.expires(), None);
    }

    #[test]
    fn what_is_none_is_not_read_and_not_repeated() {
        for (text, why) in [
            (String::new(), InvalidIdentityToken::Form),
            ("a.b.c".to_owned(), InvalidIdentityToken::Form),
            (token(&json!({"exp": 1})), InvalidIdentityToken::Nobody),
            (token(&json!({"iss": "", "sub": "x"})), InvalidIdentityToken::Nobody),
            (token(&json!({"iss": "https://i", "sub": null})), InvalidIdentityToken::Nobody),
            (format!("{}x.c2ln", "e30".repeat(6000)), InvalidIdentityToken::Form),
        ] {
            assert_eq!(IdentityToken::read(&text), Err(why), "{text:?}");
        }
        // What a parser would quote.
        for wrong in [
            json!({"iss": ["canary-x"], "sub": "x"}),
            json!({"iss": "https://i", "sub": "x", "exp": "canary-x"}),
            json!({"iss": "https://i", "sub": "x", "kubernetes.io": "canary-x"}),
            json!({"iss": "https://i", "sub": "x", "aud": {"canary-x": 1}}),
        ] {
            let error = IdentityToken::read(&token(&wrong)).unwrap_err();
            assert_eq!(error, InvalidIdentityToken::Claims, "{wrong}");
            let said = format!("{} {error:?}", crate::text::causes(&error));
            assert!(!said.contains("canary"), "{said}");
        }
        let read = IdentityToken::read(&token(&json!({"iss": "https://canary", "sub": "canary"}))).unwrap();
        assert!(!format!("{read:?}").contains("canary"), "{read:?}");
    }

    #[test]
    fn only_what_is_for_that_audience_alone_is_for_it() {
        let iss = "https://oidc.example.com/cluster";
        let other = |expected: &str| Err(OtherAudience::Other { expected: expected.to_owned() });
        let more = |expected: &str| Err(OtherAudience::More { expected: expected.to_owned() });
        for (aud, expected, judged) in [
            (json!("sigstore"), "sigstore", Ok(())),
            (json!(["sigstore"]), "sigstore", Ok(())),
            (json!("mine"), "mine", Ok(())),
            (json!(null), "sigstore", Err(OtherAudience::None)),
            (json!([]), "sigstore", Err(OtherAudience::None)),
            (json!("sigstore2"), "sigstore", other("sigstore")),
            (json!(["sigstore", "vault"]), "sigstore", more("sigstore")),
            // Those of the API server, also where somebody says that they are meant.
            (json!([iss]), "sigstore", Err(OtherAudience::Issuer)),
            (json!([iss]), iss, Err(OtherAudience::Issuer)),
            (json!(["sigstore", iss]), "sigstore", Err(OtherAudience::Issuer)),
            (json!([API_SERVER]), API_SERVER, Err(OtherAudience::Issuer)),
            (
                json!(["https://kubernetes.default.svc.cluster.local", "k3s"]),
                "k3s",
                Err(OtherAudience::Issuer),
            ),
        ] {
            let read = IdentityToken::read(&token(&json!({"iss": iss, "sub": "x", "aud": aud}))).unwrap();
            assert_eq!(read.check_audience(expected), judged, "{aud} {expected}");
        }
    }

    #[test]
    fn what_repeats_it_is_noticed() {
        let told = token(
            &json!({"iss": "https://issuer.example.com", "sub": "somebody-known", "email": "a@b.example"}),
        );
        let part = told.split('.').nth(1).unwrap();
        for repeats in [
            told.clone(),
            format!("bad token {part}"),
            format!("no: {}…", &part[3..20]),
            "nobody knows somebody-known here".to_owned(),
            "the issuer https://issuer.example.com is not known".to_owned(),
        ] {
            assert!(IdentityToken::is_repeated(&told, &repeats), "{repeats}");
        }
        for not in ["There was an error processing the identity token", "", "closed today"] {
            assert!(!IdentityToken::is_repeated(&told, not), "{not}");
        }
    }
}
