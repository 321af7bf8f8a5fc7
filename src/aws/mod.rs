//! Services of AWS's that take posts of JSON (`x-amz-json-1.1`), signed with Signature Version 4:
//! asked without a client of their own, which would be one more crate for one or two of its many
//! requests.
//!
//! Who we are is found as for a store ([`Caller`](crate::store::s3::Caller)), and the SDK's own
//! signer signs.

mod answer;
mod posting;

pub(crate) use posting::{Posts, unusable};

/// A service, and what its refusals mean that others do not have.
#[derive(Debug)]
pub(crate) struct Kind {
    /// As people know it.
    pub(crate) name: &'static str,
    /// As signatures and hosts have it.
    pub(crate) signing: &'static str,
    /// What stands before an action's name in `x-amz-target`.
    pub(crate) target: &'static str,
    /// What names where the service is, if that is not where AWS has it.
    pub(crate) endpoints: [&'static str; 2],
    /// Refusals that may be otherwise soon, beside those that every service has.
    pub(crate) passing: &'static [&'static str],
    /// What mends a refusal of this kind in this region.
    pub(crate) remedy: fn(&str, &str) -> Option<String>,
}
