//! JSON of foreign origin, read without leniency (RFC 8259, and RFC 7493 for
//! names within an object being unique).
//!
//! `serde` forgives things that let two readers see two documents in the same
//! bytes: a struct written as an array, a name given twice, a document of any
//! size. What is parsed through here forgives none of them. How large, how deep and
//! of how many values a document may be is checked first, in a pass that builds
//! nothing ([`Limits`]). What a document means is not checked here.

mod scan;

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
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
    /// More values than are read of such a document, whatever they are.
    #[error("the document has more than {limit} values")]
    TooMany {
        /// Values allowed.
        limit: usize,
    },
    /// Arrays and objects in one another, further than is read.
    #[error("the document is more than {limit} levels deep")]
    TooDeep {
        /// Levels allowed.
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

/// How much is read of a document. What is read takes memory in proportion to its
/// values, not to its bytes: an object of one name costs some hundred bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole.
    pub bytes: usize,
    /// Values in it, those in arrays and objects and these themselves; names are as many
    /// at most.
    pub values: usize,
    /// Arrays and objects in one another.
    pub depth: usize,
}

impl Limits {
    /// Values in a document. One subject of a statement has four; there are at most 1,024.
    pub const VALUES: usize = 50_000;
    /// Levels of a document. Argo's templates in a statement have some twenty.
    pub const DEPTH: usize = 100;
}

impl From<usize> for Limits {
    /// So many bytes, and the values and levels of any document.
    fn from(bytes: usize) -> Self {
        Self { bytes, values: Self::VALUES, depth: Self::DEPTH }
    }
}

/// Parses a document within `limits`, or of so many bytes. Structs in `T` should say
/// `deny_unknown_fields`, and be wrapped in [`Object`] where they are nested.
pub fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], limits: impl Into<Limits>) -> Result<T, JsonError> {
    let limits = limits.into();
    if bytes.len() > limits.bytes {
        return Err(JsonError::TooLarge { size: bytes.len(), limit: limits.bytes });
    }
    scan::scan(bytes, limits)?;
    let Object(value) = serde_json::from_slice(bytes).map_err(|e| JsonError::malformed(&e))?;
    Ok(value)
}

/// The same of a document that is an array of at most `N` objects.
pub fn parse_list<'de, T: Deserialize<'de>, const N: usize>(
    bytes: &'de [u8],
    limits: impl Into<Limits>,
) -> Result<Vec<T>, JsonError> {
    let list: AtMost<Object<T>, N> =
        serde_json::from_str(raw(bytes, limits)?.get()).map_err(|e| JsonError::malformed(&e))?;
    Ok(list.0.into_iter().map(|Object(item)| item).collect())
}

/// One document within `limits`, as its own text, no object of which has a name twice.
pub fn raw(bytes: &[u8], limits: impl Into<Limits>) -> Result<&RawValue, JsonError> {
    let limits = limits.into();
    if bytes.len() > limits.bytes {
        return Err(JsonError::TooLarge { size: bytes.len(), limit: limits.bytes });
    }
    scan::scan(bytes, limits)?;
    serde_json::from_slice(bytes).map_err(|e| JsonError::malformed(&e))
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

/// For `deserialize_with`: a field that is a `T` written as an object, as [`Object`] has it.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// For `deserialize_with`, beside `default`: a field that is not set where it is `null`, as
/// protobuf's JSON has it.
pub fn or_unset<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The same for a field that is a `T` written as an object.
pub fn object_or_unset<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let read = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(read.map(|Object(value)| value).unwrap_or_default())
}

/// The same for one that has no value that would stand for none.
pub fn object_or_none<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let read = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(read.map(|Object(value)| value))
}

/// The same for an array of such objects.
pub fn objects_or_unset<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects = Option::<Vec<Object<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(objects.into_iter().map(|Object(value)| value).collect())
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

/// A value that is carried and not understood: its text is kept byte for byte. As
/// everywhere in a document that [`parse`] read, no object in it has a name twice.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Opaque(Box<RawValue>);

impl Opaque {
    /// The JSON text as it was read.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.as_json().starts_with('{')
    }
}

impl From<&RawValue> for Opaque {
    fn from(value: &RawValue) -> Self {
        Self(value.to_owned())
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Opaque {}

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
        assert_eq!(
            parse::<Doc>(b"{} ", 2).unwrap_err(),
            JsonError::TooLarge { size: 3, limit: 2 },
            "a document is not cut short"
        );
    }

    #[test]
    fn how_much_there_is_is_counted_before_anything_is_built() {
        let limits = Limits { bytes: 1 << 20, values: 6, depth: 3 };
        let said = |text: &str| parse::<Doc>(text.as_bytes(), limits).unwrap_err();
        parse::<Doc>(br#"{"o":[[1,2,3]]}"#, limits).unwrap();
        assert_eq!(said(r#"{"o":[[1,2,3,4]]}"#), JsonError::TooMany { limit: 6 });
        assert_eq!(said(r#"{"z":{"a":1,"b":1,"c":1,"d":1,"e":1}}"#), JsonError::TooMany { limit: 6 });
        assert_eq!(said(r#"{"o":[[[]]]}"#), JsonError::TooDeep { limit: 3 });
        // The limit comes first: what is beyond it is not looked at.
        assert_eq!(said(r#"{"o":[1,2,3,4,5,{"a":1,"a":1}, no JSON"#), JsonError::TooMany { limit: 6 });
        let deep = format!(r#"{{"o":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
        assert_eq!(
            parse::<Doc>(deep.as_bytes(), 1 << 20).unwrap_err(),
            JsonError::TooDeep { limit: Limits::DEPTH }
        );
        let wide = format!(r#"{{"o":[{}0]}}"#, "0,".repeat(Limits::VALUES));
        assert_eq!(
            parse::<Doc>(wide.as_bytes(), 1 << 20).unwrap_err(),
            JsonError::TooMany { limit: Limits::VALUES }
        );
    }

    #[test]
    fn names_are_unique_wherever_they_are_however_they_are_spelt() {
        assert!(refused(r#"{"a":1,"o":{"x":1,"\u0078":1}}"#).contains("duplicate field `x`"));
        // In what no field of ours takes, too.
        assert!(refused(r#"{"z":[{"x":1,"x":1}]}"#).contains("duplicate field `x`"));
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
