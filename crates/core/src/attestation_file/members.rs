//! One JSON object, taken apart one level deep.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The members of an object, each as its own text. What is `null` is left out, as not set.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// `None` if it is no object.
    pub(super) fn of(value: &'a RawValue) -> Option<Self> {
        if !value.get().starts_with('{') {
            return None;
        }
        serde_json::from_str(value.get()).ok()
    }

    /// A member by any of its names: protobuf's JSON has two for each.
    pub(super) fn get(&self, names: &[&str]) -> Option<&'a RawValue> {
        self.0.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| *value)
    }

    /// The two spellings of one member, if both are there: readers would differ in which counts.
    pub(super) fn twice(&self, names: &[&str]) -> Option<String> {
        let count = self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).count();
        (count > 1).then(|| format!("it has `{}` in two spellings", names.first().unwrap_or(&"")))
    }

    /// A member that is an object.
    pub(super) fn object(&self, names: &[&str]) -> Option<Self> {
        Self::of(self.get(names)?)
    }

    /// A member that is text.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        self.text_of(names).map(Cow::into_owned)
    }

    /// The same, not copied where it has no escapes.
    pub(super) fn text_of(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        let value = self.get(names)?.get();
        match serde_json::from_str::<&str>(value) {
            Ok(plain) => Some(Cow::Borrowed(plain)),
            Err(_) => serde_json::from_str(value).ok().map(Cow::Owned),
        }
    }

    /// A member that is an array, its items one by one; empty if it is not there.
    pub(super) fn array(&self, names: &[&str]) -> Vec<&'a RawValue> {
        self.get(names).and_then(items).unwrap_or_default()
    }

    /// All of them, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

/// The items of an array; `None` if it is none.
pub(super) fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    if !value.get().starts_with('[') {
        return None;
    }
    serde_json::from_str(value.get()).ok()
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if value.get() != "null" {
                        members.push((name, value));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}
