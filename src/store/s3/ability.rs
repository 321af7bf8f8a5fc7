//! What a store can do beyond writing: learnt from its own answers to the first write, and
//! remembered. AWS can do all of it, and so can most that came after.
//!
//! | answer | what is tried | what is lost |
//! |---|---|---|
//! | 501, or 400 for an argument | without our checksum; without preconditions; without both | the store's own check; that two writers cannot overtake each other |
//! | 412, and the object is what was expected | `If-Match` without quotes (Ceph before 17) | nothing |
//! | 403 `AccessDenied` | full control for the bucket's owner; `aws:kms`; `AES256` | nothing: what a bucket's policy may demand of a write |
//!
//! Nothing is taken for granted that was not seen to work, and nothing is given up for a store
//! that did not refuse it.

use std::sync::{Mutex, PoisonError};

use tracing::warn;

use super::Reply;

/// How `If-Match` and `If-None-Match` are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precondition {
    /// As RFC 9110 has it, section 8.8.3.
    Quoted,
    /// An entity tag without its quotes.
    Unquoted,
    /// Not at all: what is there is read before, and after.
    None,
}

/// What a bucket's policy may demand of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    Nothing,
    /// The ACL `bucket-owner-full-control`.
    OwnerControls,
    /// Encryption by the store, with a key of its key service.
    Kms,
    /// Encryption by the store, with a key of its own.
    Aes256,
}

/// How a write is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// With `x-amz-checksum-sha256`.
    pub(super) checksum: bool,
    pub(super) precondition: Precondition,
    pub(super) demand: Demand,
}

/// What was learnt of one store.
#[derive(Debug)]
pub(super) struct Ability {
    manner: Mutex<Manner>,
    /// Held by a writer who has to read before and after: in this process nobody overtakes him.
    pub(super) alone: tokio::sync::Mutex<()>,
}

impl Default for Ability {
    fn default() -> Self {
        let all = Manner { checksum: true, precondition: Precondition::Quoted, demand: Demand::Nothing };
        Self { manner: Mutex::new(all), alone: tokio::sync::Mutex::default() }
    }
}

impl Ability {
    /// How to send a write.
    pub(super) fn manner(&self) -> Manner {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write in this manner went well.
    pub(super) fn learn(&self, uri: &str, manner: Manner, refusal: &str) {
        let mut known = self.manner.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != manner {
            *known = manner;
            warn!(uri, refusal, now = manner.told(), "the store does not take all that is asked of it");
        }
    }
}

impl Manner {
    /// What else may work where a write in this manner was answered like this; the least that
    /// is given up comes first.
    pub(super) fn after(self, reply: &Reply) -> Vec<Self> {
        if is_unsupported(reply) {
            return self.with_less(reply.message.as_deref().unwrap_or_default());
        }
        if reply.status == 403
            && reply.code.as_deref() == Some("AccessDenied")
            && self.demand == Demand::Nothing
        {
            let demands = [Demand::OwnerControls, Demand::Kms, Demand::Aes256];
            return demands.map(|demand| Self { demand, ..self }).to_vec();
        }
        Vec::new()
    }

    /// `message` may name the header that is not supported.
    fn with_less(self, message: &str) -> Vec<Self> {
        let message = message.to_ascii_lowercase();
        let no_checksum = Self { checksum: false, ..self };
        let no_precondition = Self { precondition: Precondition::None, ..self };
        let neither = Self { checksum: false, ..no_precondition };
        let less = if message.contains("if-match") || message.contains("if-none-match") {
            vec![no_precondition, neither]
        } else {
            vec![no_checksum, no_precondition, neither]
        };
        less.into_iter().filter(|less| *less != self).collect()
    }

    fn told(self) -> String {
        let mut told = vec![if self.checksum { "with our checksum" } else { "without our checksum" }];
        told.push(match self.precondition {
            Precondition::Quoted => "with preconditions",
            Precondition::Unquoted => "with preconditions, entity tags without quotes",
            Precondition::None => "without preconditions: read before, write, read back",
        });
        match self.demand {
            Demand::Nothing => {}
            Demand::OwnerControls => told.push("with full control for the bucket's owner"),
            Demand::Kms => told.push("encrypted by the store (aws:kms)"),
            Demand::Aes256 => told.push("encrypted by the store (AES256)"),
        }
        told.join(", ")
    }
}

/// Whether a header may be what was refused, and not what is written.
fn is_unsupported(reply: &Reply) -> bool {
    const OF_A_HEADER: [&str; 5] =
        ["NotImplemented", "InvalidArgument", "InvalidRequest", "UnsupportedArgument", "UnsupportedHeader"];
    reply.status == 501
        || reply.status == 400 && reply.code.as_deref().is_some_and(|code| OF_A_HEADER.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(status: u16, code: &str, message: &str) -> Vec<Manner> {
        let reply = Reply {
            status,
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            ..Reply::default()
        };
        Ability::default().manner().after(&reply)
    }

    /// Preconditions are what keeps writers apart: they are given up last, and only for a
    /// refusal that can be one of them.
    #[test]
    fn little_is_given_up_first() {
        let less = after(501, "NotImplemented", "a header is not implemented");
        let seen: Vec<_> = less.iter().map(|less| (less.checksum, less.precondition)).collect();
        let none = Precondition::None;
        assert_eq!(seen, [(false, Precondition::Quoted), (true, none), (false, none)]);
        let named = after(501, "NotImplemented", "If-None-Match is not implemented");
        assert_eq!((named[0].checksum, named[0].precondition), (true, none));
        for (status, code) in
            [(412, "PreconditionFailed"), (409, "Conflict"), (404, "NoSuchBucket"), (400, "ExpiredToken")]
        {
            assert_eq!(after(status, code, ""), [], "{status}");
        }
        assert_eq!(after(403, "SignatureDoesNotMatch", ""), []);
        assert!(after(403, "AccessDenied", "").iter().all(|m| m.precondition == Precondition::Quoted));
    }
}
