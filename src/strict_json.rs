//! JSON of foreign origin, read without leniency (RFC 8259, and RFC 7493 for
//! names within an object being unique).
//!
//! `serde` forgives things that let two readers see two documents in the same
//! bytes: a struct written as an array, a name given twice, a document of any
//! size. What is parsed through here forgives none of them. Nesting is bounded by
//! `serde_json` itself (128 levels). What a document means is not checked here.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::relpath::printable;
use crate::secret::redacted;

/// How much of the parser's own words is kept: it quotes unknown names, and those
/// can be as long as the document.
const MAX_REASON: usize = 200;

/// Why bytes are not the JSON document that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than are read of such a document.
    #[error("the document has {size} bytes, and at most {limit} are read")]
    TooLarge {
        /// Bytes there are.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not JSON, or not of the expected shape.
    #[error("{reason}")]
    Malformed {
        /// The parser's reason with line and column, printable and bounded. It may
        /// quote names from the document.
        reason: String,
    },
}

/// Parses a document of at most `limit` bytes. Structs in `T` should say
/// `deny_unknown_fields`, and be wrapped in [`Object`] where they are nested.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], limit: usize) -> Result<T, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLarge { size: bytes.len(), limit });
    }
    let Object(value) = serde_json::from_slice(bytes).map_err(|e| JsonError::malformed(&e))?;
    Ok(value)
}

impl JsonError {
    fn malformed(error: &serde_json::Error) -> Self {
        let text = redacted(&error.to_string()).into_owned();
        let mut reason: String = printable(text.as_bytes()).chars().take(MAX_REASON).collect();
        if text.len() > MAX_REASON {
            reason = format!("{reason}… at line {} column {}", error.line(), error.column());
        }
        Self::Malformed { reason }
    }
}

/// A JSON string literal for the text.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A `T` written as a JSON object. `serde`'s derived structs also accept an array
/// of their fields; this does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMaps<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMaps<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(OnlyMaps(PhantomData)).map(Self)
    }
}

/// An array of at most `N` items: the bound holds while it is read, so that a long
/// array costs no memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtMost<T, const N: usize>(pub Vec<T>);

impl<T, const N: usize> Default for AtMost<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for AtMost<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded<T, const N: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Bounded<T, N> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an array of at most {N} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == N {
                        return Err(A::Error::invalid_length(N + 1, &self));
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }

        deserializer.deserialize_seq(Bounded::<T, N>(PhantomData)).map(Self)
    }
}

/// A value that is carried and not understood: its text is kept byte for byte, and
/// no object in it has a name twice.
#[derive(Debug, Clone)]
pub struct Opaque(Box<RawValue>);

impl Opaque {
    /// The JSON text as it was read.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Opaque {}

impl<'de> Deserialize<'de> for Opaque {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        Unique.deserialize(&mut inner).map_err(D::Error::custom)?;
        Ok(Self(raw))
    }
}

/// Walks a value and refuses a name that its object already has.
#[derive(Clone, Copy)]
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
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
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(self)?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Doc {
        a: Option<u8>,
        o: Option<Opaque>,
        l: Option<AtMost<u8, 2>>,
        n: Option<Object<Inner>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        b: u8,
    }

    fn refused(text: &str) -> String {
        parse::<Doc>(text.as_bytes(), 1 << 20).unwrap_err().to_string()
    }

    #[test]
    fn what_serde_forgives_is_refused() {
        assert!(refused("[1,null,null,null]").contains("expected an object"));
        assert!(refused(r#"{"n":[1]}"#).contains("expected an object"));
        assert!(refused(r#"{"a":1,"a":1}"#).contains("duplicate field `a`"));
        assert!(refused(r#"{"o":{"x":[{"y":1,"y":2}]}}"#).contains("duplicate field `y`"));
        assert!(refused(r#"{"z":1}"#).contains("unknown field `z`"));
        assert!(refused(r#"{"l":[1,2,3]}"#).contains("at most 2"));
        assert!(refused(r#"{"a":1} x"#).contains("trailing"));
        assert!(refused(&format!(r#"{{"o":{}{}}}"#, "[".repeat(200), "]".repeat(200))).contains("recursion"));
        assert_eq!(
            parse::<Doc>(b"{} ", 2).unwrap_err(),
            JsonError::TooLarge { size: 3, limit: 2 },
            "a document is not cut short"
        );
    }

    #[test]
    fn an_opaque_value_keeps_its_bytes() {
        let doc: Doc = parse(br#"{"o": {"i": 1.10, "s":"\u0041"}}"#, 100).unwrap();
        assert_eq!(doc.o.unwrap().as_json(), r#"{"i": 1.10, "s":"\u0041"}"#);
    }

    #[test]
    fn a_reason_is_printable_and_short() {
        let reason = refused(&format!(r#"{{"\u001b[2J{}":1}}"#, "x".repeat(100_000)));
        assert!(reason.chars().count() < 300, "{}", reason.len());
        assert!(!reason.contains('\u{1b}'), "{reason}");
        assert!(reason.contains("line 1"), "{reason}");
    }
}
