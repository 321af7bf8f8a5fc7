//! The volumes that our containers mount.

use super::item::Item;
use super::yaml::Value;
use crate::contract::volume::{AUTHORITIES, EVIDENCE, IDENTITY, KEY, POLICY, REGISTRY, STORE, TRUST};
use crate::object_name::ObjectName;

/// A volume that one or both of the containers mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) path: String,
    read_only: bool,
    source: Source,
}

/// What is in a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Secret(ObjectName),
    ConfigMap(ObjectName),
    /// A token of the pod's service account, for this audience.
    Token(String),
    EmptyDir,
}

/// A token's name in its folder, and for how long it is one: the kubelet renews it before that.
const TOKEN_NAME: &str = "token";
const TOKEN_SECONDS: u32 = 3600;

impl Volume {
    pub(super) fn new(name: &str, path: &str, read_only: bool, source: Source) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), read_only, source }
    }

    /// Whether a volume that is there is the one that we would declare.
    pub(super) fn is(&self, theirs: &Value) -> bool {
        match &self.source {
            Source::Secret(name) => theirs.text_at(&["secret", "secretName"]) == Some(name.as_str()),
            Source::ConfigMap(name) => theirs.text_at(&["configMap", "name"]) == Some(name.as_str()),
            Source::Token(audience) => {
                token(theirs).and_then(|token| token.text_at(&["audience"])) == Some(audience)
            }
            // All are alike.
            Source::EmptyDir => theirs.get("emptyDir").is_some(),
        }
    }

    /// Its declaration. Where all who mount a Secret run as root, nobody else can read it. For
    /// one that is not there the kubelet would hold the pod, and nobody would say why: our
    /// containers do.
    pub(super) fn item(&self, root: bool) -> Item {
        let mode = Item::literal(if root { &0o400 } else { &0o444 });
        let (key, source) = match &self.source {
            Source::Secret(name) => {
                let source = vec![
                    ("secretName", Item::text(name.as_str())),
                    ("defaultMode", mode),
                    ("optional", Item::literal(&true)),
                ];
                ("secret", Item::Map(source))
            }
            Source::ConfigMap(name) => {
                let source = vec![("name", Item::text(name.as_str())), ("optional", Item::literal(&true))];
                ("configMap", Item::Map(source))
            }
            Source::Token(audience) => {
                let token = vec![
                    ("path", Item::text(TOKEN_NAME)),
                    ("audience", Item::text(audience)),
                    ("expirationSeconds", Item::literal(&TOKEN_SECONDS)),
                ];
                let source = Item::Map(vec![("serviceAccountToken", Item::Map(token))]);
                ("projected", Item::Map(vec![("sources", Item::List(vec![source]))]))
            }
            Source::EmptyDir => ("emptyDir", Item::Map(Vec::new())),
        };
        Item::Map(vec![("name", Item::text(&self.name)), (key, source)])
    }

    /// Whether a volume that is there has one of our names, and the form that we give it.
    pub(super) fn is_ours(there: &Value) -> bool {
        let only = |value: &Value, keys: &[&str]| {
            value.entries().iter().all(|(key, _)| key.text().is_some_and(|key| keys.contains(&key)))
        };
        let name = there.text_at(&["name"]).unwrap_or_default();
        let store = name.strip_prefix(STORE).is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('-')
                    .is_some_and(|at| !at.is_empty() && at.bytes().all(|b| b.is_ascii_hexdigit()))
        });
        if name == IDENTITY {
            let keys = ["path", "audience", "expirationSeconds"];
            return only(there, &["name", "projected"])
                && there.get("projected").is_some_and(|projected| only(projected, &["sources"]))
                && token(there)
                    .is_some_and(|token| token.entries().len() == keys.len() && only(token, &keys));
        }
        let (source, keys): (_, &[_]) = match name {
            KEY | REGISTRY => ("secret", &["secretName", "defaultMode", "optional"]),
            _ if store => ("secret", &["secretName", "defaultMode", "optional"]),
            AUTHORITIES if there.get("secret").is_some() => {
                ("secret", &["secretName", "defaultMode", "optional"])
            }
            POLICY | AUTHORITIES | TRUST => ("configMap", &["name", "optional"]),
            EVIDENCE => ("emptyDir", &[]),
            _ => return false,
        };
        only(there, &["name", source])
            && there
                .get(source)
                .is_some_and(|source| source.entries().len() == keys.len() && only(source, keys))
    }

    pub(super) fn mount(&self) -> Item {
        let mut mount = vec![("name", Item::text(&self.name)), ("mountPath", Item::text(&self.path))];
        if self.read_only {
            mount.push(("readOnly", Item::literal(&true)));
        }
        Item::Map(mount)
    }
}

/// The token that a projected volume has, if it has that and nothing else.
fn token(volume: &Value) -> Option<&Value> {
    match volume.get("projected")?.items("sources") {
        [source] if source.entries().len() == 1 => source.get("serviceAccountToken"),
        _ => None,
    }
}
