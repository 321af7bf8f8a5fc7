//! Why an artifact is not attested, in a word that programs decide by: the one table of them.

use std::fmt;

use super::Rejection;
use crate::dsse::SignatureError;
use crate::policy::PolicyViolation;
use crate::proof::FalseEvidence;

macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $name:ident = $code:literal;)+) => {
        /// Why an artifact is not attested, or is in another way than usual. The codes are an interface: some may be added, none is
        /// renamed, and none gets another meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Reason {
            /// All of them, in the order in which they are told.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What it means, for people.
            pub fn meaning(self) -> String {
                let text = match self { $(Self::$name => concat!($($meaning),+),)+ };
                text.trim().trim_end_matches('.').to_owned()
            }
        }
    };
}

reasons! {
    /// There is no attestation of it.
    Unattested = "unattested";
    /// Its bytes, or the files in it, are not those that were attested.
    Altered = "altered";
    /// No trusted key signed the attestation.
    Untrusted = "untrusted";
    /// The key is not accepted any more, or not yet.
    Expired = "expired";
    /// The attestation, or the manifest that belongs to it, was changed after it was made.
    AttestationAltered = "attestation-altered";
    /// A log entry, a timestamp or a certificate that came with the attestation is false.
    FalseEvidence = "false-evidence";
    /// The attestation, or the manifest that belongs to it, cannot be read as one.
    Malformed = "malformed";
    /// The attestation is about another artifact, or about this one under another name.
    OtherName = "other-name";
    /// The attestation is about an object that is stored somewhere else.
    OtherPlace = "other-place";
    /// The attestation makes another claim than was asked for.
    OtherClaim = "other-claim";
    /// The manifest that lists the attested files is not there.
    NoManifest = "no-manifest";
    /// There is something that no attestation can speak of: a symbolic link, a named pipe, a device.
    Unverifiable = "unverifiable";
    /// The policy does not trust the key for this builder, or asks for another.
    PolicyBuilder = "policy/builder";
    /// The policy expects something else of the workflow, the template or the sidecar.
    PolicyParameter = "policy/parameter";
    /// The policy wants the stored object compared, and the attestation does not say that it was.
    PolicyStoredMatch = "policy/stored-match";
    /// The policy bounds the age, and the build is older or has no time.
    PolicyAge = "policy/age";
    /// The policy requires a transparency log, and nothing proves that one has the signature.
    PolicyLog = "policy/log";
    /// The policy requires a proven time, and nothing proves when the signature was made.
    PolicyTime = "policy/time";
    /// It is as it was attested, but what went into it is not (`--chain`).
    Chain = "chain";
    /// It is attested, for another run than the one that is said to have made it (`audit`).
    Spliced = "spliced";
    /// The object under its key is now that of another node of the same run (`audit`).
    StaleVersion = "stale-version";
    /// There is no signed outcome of the step, or it says no more than that it started (`audit`).
    NeverFinished = "never-finished";
    /// The step's signed outcome says that it is not attested, and why (`audit`).
    RefusedInStep = "refused-in-step";
    /// A workflow, or an outcome, names it, and it is not in the store (`audit`).
    ObjectGone = "object-gone";
    /// It is an attestation of something that is not there (`audit`).
    Orphan = "orphan";
    /// There is nothing of it, and nothing is missing: a step that was skipped or failed, an output
    /// that is optional (`audit`).
    AbsentByRight = "absent-by-right";
    /// It is attested for another run, whose result the workflow says that it took over (`audit`).
    Memoised = "memoised";
    /// It is a log, which nobody attests (`audit`).
    NotOurs = "not-ours";
    /// It has not changed since the time that was given, and nobody looked at it (`audit --since`).
    NotLookedAt = "not-looked-at";
    /// Something came or went while it was audited in parts, which saw different things (`audit merge`).
    Changing = "changing";
    /// It does not exist, or the attestation that was named does not.
    NotFound = "not-found";
    /// It, or what lies beside it, cannot be read.
    Unreadable = "unreadable";
    /// The store lets nobody read it with these credentials.
    Denied = "denied";
    /// The store cannot be reached.
    Unreachable = "unreachable";
    /// What was asked makes no sense, or the program is not set up for it.
    Usage = "usage";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Rejection {
    /// The word for it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NoAttestation { .. } | Self::Spelling { .. } => Reason::Unattested,
            Self::OtherArtifact { .. } | Self::Differs(_) => Reason::Altered,
            Self::Keyless { .. } => Reason::Untrusted,
            Self::Signature(error) => match error {
                SignatureError::NoKeys | SignatureError::Unsigned | SignatureError::Untrusted { .. } => {
                    Reason::Untrusted
                }
                SignatureError::Altered { .. } => Reason::AttestationAltered,
                SignatureError::TooMuch => Reason::Malformed,
            },
            Self::KeyName { .. } | Self::Altered { .. } | Self::OtherManifest { .. } => {
                Reason::AttestationAltered
            }
            Self::File(_)
            | Self::Bundle(_)
            | Self::Lines(_)
            | Self::Statement(_)
            | Self::Provenance(_)
            | Self::Links(_)
            | Self::Manifest(_)
            | Self::Incomparable { .. } => Reason::Malformed,
            Self::NoStatement { .. } | Self::PredicateType { .. } => Reason::OtherClaim,
            Self::OtherName { .. }
            | Self::OtherSubject { .. }
            | Self::OfDirectory { .. }
            | Self::NotListed { .. }
            | Self::NotADirectory { .. } => Reason::OtherName,
            Self::Evidence(FalseEvidence::TooMuch) | Self::Certificate(FalseEvidence::TooMuch) => {
                Reason::Malformed
            }
            Self::Evidence(_) | Self::Certificate(_) => Reason::FalseEvidence,
            Self::Place(_) => Reason::OtherPlace,
            Self::NoManifest(_) => Reason::NoManifest,
            Self::Unverifiable { .. } | Self::TooDeep { .. } => Reason::Unverifiable,
            Self::InBothPlaces { first, .. } | Self::NoImage { first, .. } => first.reason(),
            Self::Policy(violation) => match violation {
                PolicyViolation::KeyExpired { .. } | PolicyViolation::KeyNotYetValid { .. } => {
                    Reason::Expired
                }
                PolicyViolation::Identity { .. } => Reason::Untrusted,
                PolicyViolation::Pair { .. }
                | PolicyViolation::Builder { .. }
                | PolicyViolation::NoProvenance { .. } => Reason::PolicyBuilder,
                PolicyViolation::Parameter { .. } | PolicyViolation::NoWorkflow { .. } => {
                    Reason::PolicyParameter
                }
                PolicyViolation::NoStoredMatch => Reason::PolicyStoredMatch,
                PolicyViolation::NotLogged => Reason::PolicyLog,
                PolicyViolation::NotTimed => Reason::PolicyTime,
                PolicyViolation::TooOld { .. } | PolicyViolation::NoAge(_) => Reason::PolicyAge,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::manifest::Differences;
    use crate::proof::EntryError;
    use crate::relpath::RelPath;
    use crate::verify::PlaceError;

    /// They are written down in scripts, word by word.
    #[test]
    fn codes_are_an_interface() {
        let codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(
            codes.join(" "),
            "unattested altered untrusted expired attestation-altered false-evidence malformed other-name \
             other-place other-claim no-manifest unverifiable policy/builder policy/parameter policy/stored-match \
             policy/age policy/log policy/time chain spliced stale-version never-finished refused-in-step object-gone orphan \
             absent-by-right memoised not-ours not-looked-at changing not-found unreadable denied unreachable usage"
        );
        for reason in Reason::ALL {
            assert!(reason.code().bytes().all(|b| b.is_ascii_lowercase() || b"-/".contains(&b)));
            assert!(!reason.meaning().is_empty() && !reason.meaning().ends_with('.'), "{reason}");
        }
    }

    #[test]
    fn each_no_has_its_word() {
        let text = String::new;
        let signature = |error| Rejection::Signature(error);
        let policy = |violation| Rejection::Policy(violation);
        let now = Timestamp::UNIX_EPOCH;
        let missing = || Rejection::NoAttestation { looked_for: Vec::new() };
        for (rejection, code) in [
            (missing(), "unattested"),
            (Rejection::Spelling { key: text() }, "unattested"),
            (Rejection::TooDeep { key: text(), most: 1 }, "unverifiable"),
            (Rejection::OtherArtifact { found: text(), about: text() }, "altered"),
            (Rejection::Differs(Differences::default()), "altered"),
            (Rejection::Keyless { identity: text() }, "untrusted"),
            (signature(SignatureError::Unsigned), "untrusted"),
            (signature(SignatureError::Untrusted { claimed: Vec::new() }), "untrusted"),
            (signature(SignatureError::TooMuch), "malformed"),
            (Rejection::Altered { why: text() }, "attestation-altered"),
            (Rejection::OtherManifest { found: text(), wanted: text() }, "attestation-altered"),
            (Rejection::NoManifest(text()), "no-manifest"),
            (Rejection::Incomparable { algorithms: text() }, "malformed"),
            (Rejection::PredicateType { found: text(), wanted: text() }, "other-claim"),
            (Rejection::NoStatement { found: text() }, "other-claim"),
            (Rejection::OtherName { attested: text(), asked: text() }, "other-name"),
            (Rejection::NotListed { directory: text(), path: RelPath::root() }, "other-name"),
            (Rejection::Place(PlaceError::Nowhere { here: text() }), "other-place"),
            (Rejection::Unverifiable { path: RelPath::root(), reason: text() }, "unverifiable"),
            (policy(PolicyViolation::KeyExpired { key: text(), not_after: now, proven: None }), "expired"),
            (
                policy(PolicyViolation::KeyNotYetValid { key: text(), not_before: now, proven: Some(now) }),
                "expired",
            ),
            (policy(PolicyViolation::Pair { key: text(), builder: text() }), "policy/builder"),
            (policy(PolicyViolation::NoWorkflow { field: "x", wanted: text() }), "policy/parameter"),
            (policy(PolicyViolation::NoStoredMatch), "policy/stored-match"),
            (policy(PolicyViolation::Identity { identity: text(), issuer: text() }), "untrusted"),
            (Rejection::Certificate(FalseEvidence::TooMuch), "malformed"),
            (policy(PolicyViolation::NotLogged), "policy/log"),
            (policy(PolicyViolation::NotTimed), "policy/time"),
            (FalseEvidence::LogEntry { number: 1, why: EntryError::NoProof }.into(), "false-evidence"),
            (policy(PolicyViolation::NoAge(None)), "policy/age"),
            (
                policy(PolicyViolation::Parameter { field: "x", found: None, wanted: text() }),
                "policy/parameter",
            ),
            // Of several the first counts, as its text does.
            (
                Rejection::InBothPlaces {
                    first: Box::new(Rejection::Keyless { identity: text() }),
                    others: text(),
                },
                "untrusted",
            ),
        ] {
            assert_eq!(rejection.reason().code(), code, "{rejection:?}");
        }
    }
}
