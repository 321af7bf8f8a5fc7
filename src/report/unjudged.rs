//! Evidence that came with an attestation and that nobody judged: it is said, so that
//! nobody takes it for checked.

use argo_attest_core::bundle::Unjudged;
use serde::{Deserialize, Serialize};

/// The counts, as a member of a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotJudged {
    #[serde(default, skip_serializing_if = "is_zero")]
    log_entries: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    timestamps: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    certificates: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl NotJudged {
    /// `None` if there is nothing.
    pub fn new(unjudged: Unjudged) -> Option<Self> {
        let Unjudged { log_entries, timestamps, certificates } = unjudged;
        (!unjudged.is_empty()).then_some(Self { log_entries, timestamps, certificates })
    }

    /// All of it together; `None` if there is nothing.
    pub fn of_all(all: impl Iterator<Item = Unjudged>) -> Option<Self> {
        Self::new(all.fold(Unjudged::default(), |sum, more| Unjudged {
            log_entries: sum.log_entries + more.log_entries,
            timestamps: sum.timestamps + more.timestamps,
            certificates: sum.certificates + more.certificates,
        }))
    }

    /// For people: `not judged: 1 log entry, 2 timestamps`.
    pub fn text(&self) -> String {
        let counted = [
            (self.log_entries, "log entry", "log entries"),
            (self.timestamps, "timestamp", "timestamps"),
            (self.certificates, "certificate", "certificates"),
        ];
        let said: Vec<_> = counted
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
        format!("not judged: {}", said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_there_and_nothing_else() {
        let not_judged = |log_entries, timestamps, certificates| {
            NotJudged::new(Unjudged { log_entries, timestamps, certificates })
        };
        assert_eq!(not_judged(0, 0, 0), None);
        for (counts, text, json) in [
            (
                not_judged(1, 1, 0),
                "not judged: 1 log entry, 1 timestamp",
                r#"{"logEntries":1,"timestamps":1}"#,
            ),
            (not_judged(32, 0, 0), "not judged: 32 log entries", r#"{"logEntries":32}"#),
            (
                not_judged(0, 2, 1),
                "not judged: 2 timestamps, 1 certificate",
                r#"{"timestamps":2,"certificates":1}"#,
            ),
        ] {
            let counts = counts.unwrap();
            assert_eq!(
                (counts.text().as_str(), serde_json::to_string(&counts).unwrap().as_str()),
                (text, json)
            );
        }
    }
}
