//! By what whoever asked for an audit narrowed it.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::text::brief;

/// Bytes of a text that are told of it.
const SHOWN: usize = 300;

/// What an audit did not ask about, because it was told so. Its reports say it: what is complete with it is
/// not all that there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Narrowing {
    /// Only what changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Of all workflows of a namespace only those with such labels. Printable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Files that are called so and have no attestation count as nobody's. Printable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_ours: Vec<String>,
}

impl Narrowing {
    /// Whether it is none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The same, if it is more than what is usual: without names that are these and no others.
    #[must_use]
    pub fn beyond(mut self, usual: &[&str]) -> Self {
        if self.not_ours == usual {
            self.not_ours.clear();
        }
        self
    }

    /// Each of it, for people.
    pub fn told(&self) -> impl Iterator<Item = String> {
        let Self { since, selector, not_ours } = self;
        let since = since.map(|since| format!("only what changed since {since}"));
        let labels = |selector: &String| {
            let selector = brief(selector, SHOWN);
            format!("of all workflows of a namespace only those with the labels {selector}")
        };
        let names = (!not_ours.is_empty()).then(|| {
            let names = brief(&not_ours.join(", "), SHOWN);
            format!("files without an attestation that are called {names} count as nobody's")
        });
        since.into_iter().chain(selector.as_ref().map(labels)).chain(names)
    }
}

/// For people, on one line.
impl fmt::Display for Narrowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was narrowed: ")?;
        for (at, told) in self.told().enumerate() {
            f.write_str(if at > 0 { "; " } else { "" })?;
            f.write_str(&told)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_and_what_is_usual_is_none() {
        let usual = Narrowing { not_ours: vec!["main.log".into()], ..Narrowing::default() };
        assert!(usual.clone().beyond(&["main.log"]).is_none());
        assert_eq!(usual.clone().beyond(&["other.log"]), usual);
        let all = Narrowing {
            since: Some(Timestamp::UNIX_EPOCH),
            selector: Some("a!=b".into()),
            not_ours: vec!["main.log".into(), "x\n".into()],
        };
        assert_eq!(
            all.to_string(),
            "it was narrowed: only what changed since 1970-01-01T00:00:00Z; of all workflows of a namespace only \
             those with the labels a!=b; files without an attestation that are called main.log, x%0A count as nobody's"
        );
    }
}
