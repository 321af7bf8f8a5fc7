//! Collections that stop growing: a few bytes of hostile JSON (`{}`) become a
//! large value each, so a limit on the text alone does not bound memory.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::asked::is_ours;
use crate::contract::annotation::PREFIX;

/// A JSON list of at most `MAX` items; a longer one is refused.
#[derive(Clone)]
pub(super) struct List<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Items<T, MAX> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    if list.len() == MAX {
                        return Err(A::Error::custom(format_args!("a list has more than {MAX} items")));
                    }
                    list.push(item);
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Items::<T, MAX>(PhantomData)).map(Self)
    }
}

/// The annotations that are this program's own, `argo-attest.io/…`; all others
/// are passed over.
#[derive(Clone, Default)]
pub(super) struct OwnAnnotations(pub(super) BTreeMap<String, String>);

/// More of our own annotations than there will ever be.
const MAX_OWN: usize = 64;

impl<'de> Deserialize<'de> for OwnAnnotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Own;

        impl<'de> Visitor<'de> for Own {
            type Value = BTreeMap<String, String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut own = BTreeMap::new();
                while let Some(key) = entries.next_key::<String>()? {
                    if !is_ours(&key) {
                        entries.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if own.len() == MAX_OWN {
                        return Err(A::Error::custom(format_args!(
                            "more than {MAX_OWN} annotations {PREFIX}*"
                        )));
                    }
                    own.insert(key, entries.next_value()?);
                }
                Ok(own)
            }
        }

        deserializer.deserialize_map(Own).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_at_its_limit() {
        let list: List<u8, 2> = serde_json::from_str("[1,2]").unwrap();
        assert_eq!(list.0, [1, 2]);
        let error = serde_json::from_str::<List<u8, 2>>("[1,2,3]").map(|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("a list has more than 2 items"), "{error}");
    }

    #[test]
    fn keeps_our_annotations_only() {
        let text = r#"{"argo-attest.io/attest":"true","other":{"not":"text"}}"#;
        let own: OwnAnnotations = serde_json::from_str(text).unwrap();
        assert_eq!(own.0, BTreeMap::from([("argo-attest.io/attest".to_owned(), "true".to_owned())]));
        let many: BTreeMap<String, &str> = (0..=MAX_OWN).map(|n| (format!("{PREFIX}{n}"), "")).collect();
        let error =
            serde_json::from_str::<OwnAnnotations>(&serde_json::to_string(&many).unwrap()).map(|_| ());
        assert!(error.unwrap_err().to_string().starts_with("more than 64 annotations"));
    }
}
