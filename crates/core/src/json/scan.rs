//! The first look at a document: how much is in it, before anything is built of it.
//!
//! One pass over the bytes that keeps nothing but the names of the objects that are
//! open. It ends at the first limit that is passed.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::{JsonError, Limits};

/// Looks through a whole document: one JSON value, within the limits, no object of
/// which has a name twice.
pub(super) fn scan(bytes: &[u8], limits: Limits) -> Result<(), JsonError> {
    let passed = Cell::new(None);
    let left = Cell::new(limits.values);
    let scan = Scan { left: &left, passed: &passed, limits, depth: 0 };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    scan.deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| passed.take().unwrap_or_else(|| JsonError::malformed(&error)))
}

#[derive(Clone, Copy)]
struct Scan<'s> {
    left: &'s Cell<usize>,
    /// The limit that ended it.
    passed: &'s Cell<Option<JsonError>>,
    limits: Limits,
    depth: usize,
}

impl Scan<'_> {
    fn beyond<E: serde::de::Error>(&self, limit: JsonError) -> E {
        let error = E::custom(&limit);
        self.passed.set(Some(limit));
        error
    }

    /// What is one level further in.
    fn within<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == self.limits.depth {
            return Err(self.beyond(JsonError::TooDeep { limit: self.limits.depth }));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Scan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(self.beyond(JsonError::TooMany { limit: self.limits.values })),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.within()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.within()?;
        let mut names = HashSet::new();
        while let Some(Name(name)) = map.next_key()? {
            map.next_value_seed(inner)?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
        }
        Ok(())
    }
}

/// A name, not copied where the document has it without escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}
