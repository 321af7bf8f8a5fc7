//! Identities that certificates are for, and when one is trusted.

use super::Pattern;
use crate::proof::Identity;

/// Bytes of an identity in a policy.
const MAX_IDENTITY: usize = 1024;
/// What ends a part of an identity. No star reaches across one.
const SEPARATORS: [char; 2] = ['/', '@'];

/// A pair of an identity and of who vouched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIdentity {
    /// The name under which the policy knows it; shown in answers.
    pub name: String,
    /// Exactly this OIDC issuer.
    pub issuer: String,
    /// For whom the certificate has to be.
    pub identity: IdentityPattern,
}

/// An identity in which `*` stands for text within one part of it: never across a `/` or an `@`,
/// never in a scheme, a host, the first part behind a host, or a mail address's domain. So nobody
/// who may choose one part of a name can be more than was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPattern(String);

/// The text is no identity, or has a star where none may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an identity such as https://github.com/org/repository/.github/workflows/release.yml@refs/tags/*, with no * \
     before the second part of its path or in a mail address's domain"
)]
pub struct InvalidIdentity;

impl TrustedIdentity {
    pub(super) fn is(&self, identity: &Identity) -> bool {
        self.issuer == identity.issuer() && self.identity.matches(identity.name())
    }
}

impl IdentityPattern {
    /// Exactly this identity.
    pub fn exactly(text: &str) -> Result<Self, InvalidIdentity> {
        if text.contains('*') { Err(InvalidIdentity) } else { Self::new(text) }
    }

    /// A pattern.
    pub fn new(text: &str) -> Result<Self, InvalidIdentity> {
        let is_text = !text.trim().is_empty() && text.len() <= MAX_IDENTITY;
        if !is_text || !is_narrow(text) { Err(InvalidIdentity) } else { Ok(Self(text.to_owned())) }
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let separators = |text: &str| text.chars().filter(|c| SEPARATORS.contains(c)).collect::<String>();
        let (wanted, found) = (self.0.split(SEPARATORS), text.split(SEPARATORS));
        separators(&self.0) == separators(text)
            && wanted.zip(found).all(|(wanted, found)| Pattern::new(wanted).matches(found))
    }
}

/// Whether no star stands for who it is.
fn is_narrow(text: &str) -> bool {
    if !text.contains('*') {
        return true;
    }
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, rest)), _) => {
            let mut parts = rest.splitn(3, '/');
            let fixed = [Some(scheme), parts.next(), parts.next()];
            let is_fixed =
                |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && !part.contains('*'));
            fixed.into_iter().all(is_fixed) && parts.next().is_some()
        }
        (None, Some((_, domain))) => !domain.is_empty() && !domain.contains('*'),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_its_part() {
        const RELEASE: &str = "https://github.com/org/repo/.github/workflows/release.yml@refs/tags/";
        let pattern = |text: &str| IdentityPattern::new(text).unwrap();
        let releases = pattern(&format!("{RELEASE}v*"));
        assert!(releases.matches(&format!("{RELEASE}v1.0")));
        for other in [
            format!("{RELEASE}1.0"),
            format!("{RELEASE}v1/0"),
            format!("{RELEASE}v1@refs/heads/main"),
            format!("x{RELEASE}v1"),
            format!("{RELEASE}v1\n"),
            RELEASE.replace("tags", "heads") + "v1",
            String::new(),
        ] {
            assert_eq!(releases.matches(&other), other.ends_with("v1\n"), "{other:?}");
        }
        assert!(pattern("*@example.com").matches("a.b@example.com"));
        for other in ["a@example.com.evil.org", "a@b@example.com", "example.com", "a@example.org"] {
            assert!(!pattern("*@example.com").matches(other), "{other}");
        }
        assert!(pattern("a@example.com").matches("a@example.com"));
        assert!(!pattern("a@example.com").matches("A@example.com"));
        assert!(!pattern("a.example").matches("axexample"));
    }

    #[test]
    fn a_star_stands_for_nobody() {
        for bad in [
            "",
            " ",
            "*",
            "**",
            "user*",
            "*://github.com/o/r",
            "https://*/o/r",
            "https://*.com/o/r",
            "https://github.com*",
            "https://github.com/*",
            "https://github.com/*/r",
            "https://github.com/o*",
            "https://github.com/o*/r",
            "https:///o/r*",
            "https://github.com//r*",
            "a@*",
            "a@*.example.com",
            "*@",
        ] {
            assert_eq!(IdentityPattern::new(bad), Err(InvalidIdentity), "{bad}");
        }
        assert_eq!(IdentityPattern::exactly("https://github.com/o/*"), Err(InvalidIdentity));
        assert_eq!(IdentityPattern::new(&"a".repeat(MAX_IDENTITY + 1)), Err(InvalidIdentity));
        IdentityPattern::new("https://github.com/o/*").unwrap();
        IdentityPattern::exactly("spiffe://cluster.local/ns/ci/sa/build").unwrap();
    }
}
