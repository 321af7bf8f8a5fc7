//! What an image is called: `registry/repository:tag@digest`.
//!
//! The grammar is that of OCI Distribution 1.1 ("Pulling manifests") with the registry in
//! front as Docker's `distribution/reference` reads it: the first part is a registry if it
//! has a `.` or a `:`, or is `localhost`; a name without one is of Docker Hub.

use std::fmt;
use std::str::FromStr;

use crate::digest::Sha256Digest;

/// Bytes of registry and repository together, as `distribution/reference` has it.
const MAX_NAME: usize = 255;
/// Bytes of a tag.
const MAX_TAG: usize = 128;
/// What a name without a registry is of.
const DOCKER_HUB: &str = "docker.io";
/// In which folder of Docker Hub a name of one part is.
const DOCKER_LIBRARY: &str = "library";
/// Which tag is meant where none is given.
const LATEST: &str = "latest";

/// Whose server it is: a host, and a port where one is given. Lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Registry(String);

/// Where in a registry an image is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    registry: Registry,
    name: String,
}

/// A name of an image in its repository, which whoever may push there can move.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

/// An image as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<Sha256Digest>,
}

/// Why text names no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// Nothing at all, or nothing beside the registry.
    #[error("it has no repository")]
    Empty,
    /// More than any registry takes.
    #[error("its name has more than {MAX_NAME} bytes")]
    TooLong,
    /// What stands before the first `/` is no host.
    #[error("its registry is no host name with at most a port")]
    Registry,
    /// A part of the path is not what registries take.
    #[error(
        "its repository is not lower-case letters and digits, with single separators `.`, `_`, `__`, `-` and `/`"
    )]
    Repository,
    /// What follows `:`.
    #[error(
        "its tag is not 1 to {MAX_TAG} letters, digits, `_`, `.` and `-`, of which the first is neither `.` nor `-`"
    )]
    Tag,
    /// What follows `@`.
    #[error("its digest is not sha256: and 64 lower-case hexadecimal digits")]
    Digest,
}

impl Registry {
    /// The server that speaks for it, as `host` or `host:port`. Docker Hub's is another
    /// than its name.
    pub fn server(&self) -> &str {
        match self.0.as_str() {
            DOCKER_HUB => "registry-1.docker.io",
            own => own,
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Registry {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let text = text.to_ascii_lowercase();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text.as_str(), None),
        };
        let is_port =
            |port: &str| port.parse::<u16>().is_ok_and(|number| number.to_string() == port && number > 0);
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.len() <= MAX_NAME && host.split('.').all(is_label),
        };
        if !is_host || !port.is_none_or(is_port) {
            return Err(InvalidReference::Registry);
        }
        // Docker's old name for the same.
        Ok(Self(if text == "index.docker.io" { DOCKER_HUB.to_owned() } else { text }))
    }
}

fn is_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric();
    let ends = [label.bytes().next(), label.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(plain)) && label.bytes().all(|b| plain(b) || b == b'-')
}

impl Repository {
    /// The registry that it is in.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Its path in the registry. It can stand in a URL as it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One of its images, by tag.
    pub fn tagged(&self, tag: Tag) -> ImageReference {
        ImageReference { repository: self.clone(), tag: Some(tag), digest: None }
    }

    /// One of its images, by digest.
    pub fn at(&self, digest: Sha256Digest) -> ImageReference {
        ImageReference { repository: self.clone(), tag: None, digest: Some(digest) }
    }
}

impl FromStr for Repository {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let is_registry = |part: &str| part.contains(['.', ':', '[']) || part == "localhost";
        let (registry, name) = match text.split_once('/') {
            Some((registry, name)) if is_registry(registry) => (registry.parse()?, name.to_owned()),
            _ => (Registry(DOCKER_HUB.to_owned()), text.to_owned()),
        };
        let short = registry.0 == DOCKER_HUB && !name.contains('/') && !name.is_empty();
        let name = if short { format!("{DOCKER_LIBRARY}/{name}") } else { name };
        if name.is_empty() {
            return Err(InvalidReference::Empty);
        }
        if registry.0.len() + 1 + name.len() > MAX_NAME {
            return Err(InvalidReference::TooLong);
        }
        if !name.split('/').all(is_component) {
            return Err(InvalidReference::Repository);
        }
        Ok(Self { registry, name })
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut separator = String::new();
    let mut after_plain = false;
    for byte in part.bytes() {
        if plain(byte) {
            let is_one =
                matches!(separator.as_str(), "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-');
            if !is_one {
                return false;
            }
            separator.clear();
            after_plain = true;
        } else if after_plain && matches!(byte, b'.' | b'_' | b'-') {
            separator.push(char::from(byte));
        } else {
            return false;
        }
    }
    after_plain && separator.is_empty()
}

impl Tag {
    /// As it is written. It can stand in a URL as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A tag that this program makes of a digest.
    pub(super) fn of_ours(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for Tag {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let is_tag = (1..=MAX_TAG).contains(&text.len())
            && text.bytes().next().is_some_and(word)
            && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'));
        if is_tag { Ok(Self(text.to_owned())) } else { Err(InvalidReference::Tag) }
    }
}

impl ImageReference {
    /// Where it is.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Which digest it is named by. It decides, also where there is a tag.
    pub fn digest(&self) -> Option<Sha256Digest> {
        self.digest
    }

    /// Which tag it is named by: `latest` where neither a tag nor a digest is given.
    pub fn tag(&self) -> Option<Tag> {
        match (&self.tag, self.digest) {
            (None, None) => Some(Tag(LATEST.to_owned())),
            (tag, _) => tag.clone(),
        }
    }

    /// The same with no more than a registry is asked for: the digest, where there is one, without
    /// a tag that nobody looks at; else the tag. Two that are equal are one image.
    #[must_use]
    pub fn as_asked(&self) -> Self {
        match self.digest {
            Some(digest) => self.repository.at(digest),
            None => Self { tag: self.tag(), ..self.clone() },
        }
    }
}

impl FromStr for ImageReference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                let hex = digest.strip_prefix("sha256:").ok_or(InvalidReference::Digest)?;
                (name, Some(hex.parse().map_err(|_| InvalidReference::Digest)?))
            }
            None => (text, None),
        };
        // A port is before a `/`, a tag after all of them.
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.parse()?)),
            _ => (name, None),
        };
        Ok(Self { repository: name.parse()?, tag, digest })
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@sha256:{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        text.parse::<ImageReference>().unwrap().to_string()
    }

    fn refused(text: &str) -> InvalidReference {
        text.parse::<ImageReference>().unwrap_err()
    }

    #[test]
    fn names_are_read_as_docker_reads_them() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (text, whole) in [
            ("ubuntu", "docker.io/library/ubuntu:latest"),
            ("ubuntu:22.04", "docker.io/library/ubuntu:22.04"),
            ("user/app", "docker.io/user/app:latest"),
            ("docker.io/ubuntu", "docker.io/library/ubuntu:latest"),
            ("index.docker.io/user/app:1", "docker.io/user/app:1"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/a/b/c:v1", "localhost:5000/a/b/c:v1"),
            ("GHCR.io/org/app:Tag-1_x", "ghcr.io/org/app:Tag-1_x"),
            ("[::1]:5000/a", "[::1]:5000/a:latest"),
            ("[::1]/a", "[::1]/a:latest"),
            ("r.example/a__b/c---d.e_f", "r.example/a__b/c---d.e_f:latest"),
        ] {
            assert_eq!(read(text), whole);
            assert_eq!(read(&read(text)), whole);
        }
        assert_eq!(read(&format!("r.example/a@{digest}")), format!("r.example/a@{digest}"));
        let both: ImageReference = format!("r.example/a:v1@{digest}").parse().unwrap();
        assert_eq!((both.tag().unwrap().as_str(), both.digest().is_some()), ("v1", true));
        let named: ImageReference = format!("r.example/a@{digest}").parse().unwrap();
        assert_eq!(named.tag(), None, "a digest is no `latest`");
        assert_eq!("ubuntu".parse::<Repository>().unwrap().registry().server(), "registry-1.docker.io");
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        use InvalidReference::{Digest, Empty, Registry, Repository, Tag, TooLong};
        let upper = format!("r.example/a@sha256:{}", "AB".repeat(32));
        let long = format!("r.example/{}", "a".repeat(250));
        let tag = format!("a:{}", "t".repeat(129));
        for (text, why) in [
            ("", Empty),
            ("r.example/", Empty),
            ("r.example/A", Repository),
            ("r.example/a//b", Repository),
            ("r.example/a/", Repository),
            ("r.example/../b", Repository),
            ("r.example/a..b", Repository),
            ("r.example/a___b", Repository),
            ("r.example/a.-b", Repository),
            ("r.example/-a", Repository),
            ("r.example/a-", Repository),
            ("r.example/a b", Repository),
            ("r.example/a%2fb", Repository),
            ("r.example/a?b", Repository),
            ("r.example/ä", Repository),
            ("r.example:0/a", Registry),
            ("r.example:65536/a", Registry),
            ("r.example:08/a", Registry),
            ("r.example:/a", Registry),
            ("u:p@r.example/a", Digest),
            ("-r.example/a", Registry),
            ("r..example/a", Registry),
            ("[::g]/a", Registry),
            ("a:", Tag),
            ("a:.b", Tag),
            ("a:b c", Tag),
            ("a@", Digest),
            ("a@sha512:00", Digest),
            ("a@sha256:00", Digest),
            (&upper, Digest),
            (&long, TooLong),
            (&tag, Tag),
        ] {
            assert_eq!(refused(text), why, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_again_and_can_stand_in_a_url(text in "[a-zA-Z0-9./:@_\\[\\]-]{0,60}") {
            if let Ok(read) = text.parse::<ImageReference>() {
                prop_assert_eq!(&read.to_string().parse::<ImageReference>().unwrap().to_string(), &read.to_string());
                let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"./_-".contains(&b);
                prop_assert!(read.repository().name().bytes().all(plain));
                prop_assert!(!read.repository().name().split('/').any(|part| part.is_empty() || part.starts_with('.')));
            }
        }
    }
}
