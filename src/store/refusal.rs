//! How a store says no: to what, in whose words, and what would change its answer.

use std::fmt;

/// What a store is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Give an object's bytes.
    Read,
    /// Say what it knows of an object.
    Look,
    /// Say what objects it holds.
    List,
    /// Keep an object.
    Write,
    /// Say who we are: give credentials for all else.
    SignIn,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "reading",
            Self::Look => "looking",
            Self::List => "listing",
            Self::Write => "writing",
            Self::SignIn => "signing in",
        })
    }
}

/// Why an operation was denied, as far as the store tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denial {
    /// It knows who asks, and does not let them.
    Permission,
    /// It does not know or believe who asks.
    Identity,
    /// It does not say.
    Unsaid,
}

/// A store's no, as its adapter understood it. What the store said came from elsewhere:
/// the adapter has made it printable, and short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked for.
    pub operation: Operation,
    /// What whoever runs such a store calls the permission for it.
    pub permission: Option<&'static str>,
    /// The answer in one sentence, the store's own words among it.
    pub said: String,
    /// What the store's operator can look for in the logs.
    pub id: Option<String>,
    /// What to do about it, in the words of this kind of store.
    pub remedy: Option<String>,
}

impl Refusal {
    /// What was asked for, by the name that the store's operator has for it.
    pub fn asked(&self) -> String {
        self.permission.map_or_else(|| self.operation.to_string(), str::to_owned)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)?;
        match &self.id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_named_in_the_operators_words_where_there_are_some() {
        let plain = Refusal {
            operation: Operation::Write,
            permission: None,
            said: "403: no".to_owned(),
            id: None,
            remedy: None,
        };
        assert_eq!((plain.asked().as_str(), plain.to_string().as_str()), ("writing", "403: no"));
        let named = Refusal { permission: Some("s3:PutObject"), id: Some("r1".to_owned()), ..plain };
        assert_eq!(named.asked(), "s3:PutObject");
        assert_eq!(named.to_string(), "403: no (request id r1)");
    }
}
