//! What others vouch for of a signature, and was judged by the trusted root.

use argo_attest_core::proof::{Logged, Proof, ProvenTime, Stamped};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// It, as a member of a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    log: Vec<InLog>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    timestamps: Vec<At>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InLog {
    name: String,
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    authority: String,
    time: Timestamp,
}

impl Proven {
    /// `None` if nothing is proven.
    pub fn new(proof: &Proof) -> Option<Self> {
        let log = proof.logged().iter().map(InLog::from).collect::<Vec<_>>();
        let timestamps = proof.stamped().iter().map(At::from).collect::<Vec<_>>();
        let is_empty = log.is_empty() && timestamps.is_empty();
        (!is_empty).then_some(Self { log, timestamps })
    }

    /// For people: `proven: in the log rekor.sigstore.dev (7) at 2026-11-26T10:00:00Z`.
    pub fn text(&self) -> String {
        let logged = self.log.iter().map(|InLog { name, index, time }| {
            let time = time.map(|time| format!(" at {time}")).unwrap_or_default();
            format!("in the log {name} ({index}){time}")
        });
        let seen =
            self.timestamps.iter().map(|At { authority, time }| format!("seen by {authority} at {time}"));
        format!("proven: {}", logged.chain(seen).collect::<Vec<_>>().join(", "))
    }
}

impl From<&Logged> for InLog {
    fn from(logged: &Logged) -> Self {
        Self {
            name: logged.log().to_owned(),
            index: logged.index(),
            time: logged.time().map(ProvenTime::get),
        }
    }
}

impl From<&Stamped> for At {
    fn from(stamped: &Stamped) -> Self {
        Self { authority: stamped.authority().to_owned(), time: stamped.time().get() }
    }
}
