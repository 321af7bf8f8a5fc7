//! The statement itself: `_type`, `subject`, `predicateType`, `predicate`.

use serde::{Deserialize, Serialize};

use super::ResourceDescriptor;
use crate::digest::FileDigests;
use crate::dsse::MAX_PAYLOAD;
use crate::json::{self, AtMost, JsonError, Limits, Object, Opaque};

/// `_type` of the statements that we write.
pub const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";
/// `_type` that cosign still writes; the layout is the same, so it is read too.
pub const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";
/// How many subjects sigstore-go, and so cosign, accepts in one statement.
pub const MAX_SUBJECTS: usize = 1024;

/// How much is read of a statement. Its predicate is kept as one text, whatever is in it: it may have
/// more values than what is built of one ([`Limits::VALUES`]), as bills of materials have.
pub const LIMITS: Limits = Limits { bytes: MAX_PAYLOAD, values: 250_000, depth: Limits::DEPTH };

/// A statement as read: well formed, not yet believed. Whoever holds one has to
/// know where it came from; a [`crate::verify::VerifiedStatement`] says so by its type.
#[derive(Debug, Clone)]
pub struct Statement {
    subjects: Vec<ResourceDescriptor>,
    predicate_type: String,
    predicate: Option<Opaque>,
}

/// What is read of a statement. Fields that are not known are passed over (in-toto,
/// "Parsing rules"), what is `null` is not set, and a predicate may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "subject")]
    subjects: AtMost<Object<ResourceDescriptor>, MAX_SUBJECTS>,
    predicate_type: String,
    predicate: Option<Opaque>,
}

/// Why bytes are not an acceptable statement.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStatement {
    /// Not JSON, a field missing or of another kind, a name given twice, too many subjects.
    #[error("the statement is not a well-formed in-toto statement")]
    Json(#[source] JsonError),
    /// Some other `_type`.
    #[error("the statement's _type is {0:?}, not {STATEMENT_V1:?}")]
    Type(String),
    /// The claim is an array, text, a number: nothing that has fields.
    #[error("the statement's predicate is not a JSON object")]
    Predicate,
    /// No subject: it would be about nothing, and anything.
    #[error("the statement has no subjects")]
    NoSubjects,
    /// A subject without a digest matches nothing, or everything.
    #[error("subject number {0} of the statement has no digest")]
    NoDigest(usize),
}

impl Statement {
    /// Reads a payload. Depth, size and the number of subjects are bounded.
    pub fn from_json(bytes: &[u8]) -> Result<Self, InvalidStatement> {
        let Read { kind, subjects, predicate_type, predicate } =
            json::parse(bytes, LIMITS).map_err(InvalidStatement::Json)?;
        if kind != STATEMENT_V1 && kind != STATEMENT_V0_1 {
            return Err(InvalidStatement::Type(kind));
        }
        if predicate.as_ref().is_some_and(|predicate| !predicate.is_object()) {
            return Err(InvalidStatement::Predicate);
        }
        let subjects: Vec<_> = subjects.0.into_iter().map(|Object(subject)| subject).collect();
        if subjects.is_empty() {
            return Err(InvalidStatement::NoSubjects);
        }
        if let Some(index) = subjects.iter().position(|s| s.digest.is_empty()) {
            return Err(InvalidStatement::NoDigest(index + 1));
        }
        Ok(Self { subjects, predicate_type, predicate })
    }

    /// What it is about; at least one, each with a digest.
    pub fn subjects(&self) -> &[ResourceDescriptor] {
        &self.subjects
    }

    /// Adds to the subjects what is known of a file's digests.
    pub(crate) fn complete(&mut self, file: &FileDigests) {
        self.subjects.iter_mut().for_each(|subject| subject.digest.complete(file));
    }

    /// What kind of claim it makes, a URI.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The claim, as JSON text in which no object has a name twice; `{}` where there is none.
    pub fn predicate(&self) -> &str {
        self.predicate.as_ref().map_or("{}", Opaque::as_json)
    }
}

/// Writes a statement: compact JSON, fields in this order, so that the same
/// input always gives the same bytes. Serialised once; those bytes are signed.
pub fn serialize<P: Serialize>(
    subjects: &[ResourceDescriptor],
    predicate_type: &str,
    predicate: &P,
) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Written<'a, P> {
        #[serde(rename = "_type")]
        kind: &'static str,
        subject: &'a [ResourceDescriptor],
        predicate_type: &'a str,
        predicate: &'a P,
    }
    serde_json::to_vec(&Written { kind: STATEMENT_V1, subject: subjects, predicate_type, predicate })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Sha256Digest;

    const GOOD: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}],"predicateType":"https://example.com/p","predicate":{"a":1}}"#;

    #[test]
    fn reads_a_statement() {
        let statement = Statement::from_json(GOOD.as_bytes()).unwrap();
        assert_eq!(statement.subjects()[0].digest.sha256(), Some(Sha256Digest::of(b"abc")));
        assert_eq!(statement.predicate_type(), "https://example.com/p");
        assert_eq!(statement.predicate(), r#"{"a":1}"#);
        Statement::from_json(GOOD.replace("/v1\",\"sub", "/v0.1\",\"sub").as_bytes()).unwrap();
    }

    #[test]
    fn refuses_what_verifiers_read_differently() {
        for (from, to, why) in [
            ("Statement/v1", "Statement/v2", "_type"),
            (r#""name":"x","#, r#""name":"x","name":"y","#, "well-formed"),
            (r#"{"a":1}"#, r#"{"a":1,"a":2}"#, "well-formed"),
            (r#"{"sha256":"#, r#"{"sha256":"00","sha256":"#, "well-formed"),
            (r#"{"a":1}"#, "[1]", "not a JSON object"),
            (r#"{"a":1}"#, r#""a""#, "not a JSON object"),
            (r#"{"a":1}"#, " 7", "not a JSON object"),
            (r#""x","digest""#, r#"["x"],"digest""#, "well-formed"),
            (r#"{"sha256":"ba78"#, r#"["sha256","ba78"],"x":{"sha256":"ba78"#, "well-formed"),
            (
                r#"{"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#,
                "{}",
                "no digest",
            ),
        ] {
            let changed = GOOD.replacen(from, to, 1);
            assert_ne!(changed, GOOD);
            let error = Statement::from_json(changed.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(why), "{changed}: {error}");
        }
        let empty = GOOD.replace(&GOOD[GOOD.find("[{").unwrap()..=GOOD.find("}]").unwrap() + 1], "[]");
        assert!(
            matches!(Statement::from_json(empty.as_bytes()), Err(InvalidStatement::NoSubjects)),
            "{empty}"
        );
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_null_is_unset() {
        for (from, to) in [
            (r#""predicate":{"a":1}"#, r#""extra":[0],"predicate":{"a":1}"#),
            (r#""name":"x""#, r#""name":"x","uri":null,"mediaType":null,"more":{"b":1}"#),
            (r#""name":"x","#, ""),
        ] {
            let changed = GOOD.replacen(from, to, 1);
            assert_ne!(changed, GOOD);
            let statement = Statement::from_json(changed.as_bytes()).unwrap();
            assert_eq!(statement.subjects()[0].digest.sha256(), Some(Sha256Digest::of(b"abc")));
            assert_eq!(statement.predicate(), r#"{"a":1}"#);
        }
        for without in ["", r#","predicate":null"#] {
            let changed = GOOD.replace(r#","predicate":{"a":1}"#, without);
            assert_eq!(Statement::from_json(changed.as_bytes()).unwrap().predicate(), "{}");
        }
    }

    #[test]
    fn bounds_subjects() {
        let subjects = vec![ResourceDescriptor::named("x", Sha256Digest::of(b"")); MAX_SUBJECTS + 1];
        let bytes = serialize(&subjects, "t", &serde_json::json!({"a": 1})).unwrap();
        assert!(matches!(Statement::from_json(&bytes), Err(InvalidStatement::Json(_))));
        let bytes = serialize(&subjects[1..], "t", &serde_json::json!({"a": 1})).unwrap();
        assert_eq!(Statement::from_json(&bytes).unwrap().subjects().len(), MAX_SUBJECTS);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(names in proptest::collection::vec(".{0,40}", 1..5), kind in ".{1,40}") {
            let subjects: Vec<_> =
                names.iter().map(|n| ResourceDescriptor::named(n, Sha256Digest::of(n.as_bytes()))).collect();
            let bytes = serialize(&subjects, &kind, &serde_json::json!({"k": names})).unwrap();
            let read = Statement::from_json(&bytes).unwrap();
            prop_assert_eq!(read.subjects(), &subjects[..]);
            prop_assert_eq!(read.predicate_type(), kind);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Statement::from_json(&bytes);
        }
    }
}
