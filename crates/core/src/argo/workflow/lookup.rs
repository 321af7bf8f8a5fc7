//! Finding one entry of a large JSON object or list, without holding the others.

use std::fmt;
use std::io::Read;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

/// The value of `key` in the JSON object that `text` is.
pub(super) fn member<'a, T: Deserialize<'a>>(text: &'a str, key: &str) -> serde_json::Result<Option<T>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = Member::new(key).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

/// The value of `key` in the JSON object that `source` yields.
pub(super) fn member_of_stream<T: for<'de> Deserialize<'de>>(
    source: impl Read,
    key: &str,
) -> serde_json::Result<Option<T>> {
    let mut reader = serde_json::Deserializer::from_reader(source);
    let found = Member::new(key).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

/// Hands each value of a JSON object, or each item of a JSON list, to `look`, with
/// its key if it has one.
pub(super) fn each<'a>(
    text: &'a str,
    look: &mut dyn FnMut(&str, &'a RawValue) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_any(Each(look))?;
    reader.end()
}

struct Member<'k, T> {
    key: &'k str,
    wanted: PhantomData<T>,
}

impl<'k, T> Member<'k, T> {
    fn new(key: &'k str) -> Self {
        Self { key, wanted: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Member<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Member<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = entries.next_key_seed(Is(self.key))? {
            if !is_it {
                entries.next_value::<IgnoredAny>()?;
            } else if found.is_some() {
                return Err(A::Error::custom("an object has a key twice"));
            } else {
                found = Some(entries.next_value()?);
            }
        }
        Ok(found)
    }
}

/// Whether a key is the one that is looked for.
struct Is<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

struct Each<'l, 'a>(&'l mut dyn FnMut(&str, &'a RawValue) -> serde_json::Result<()>);

impl<'a> Visitor<'a> for Each<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some((key, value)) = entries.next_entry::<String, &RawValue>()? {
            (self.0)(&key, value).map_err(A::Error::custom)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<&RawValue>()? {
            (self.0)("", value).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_one_entry_among_others() {
        let text = r#"{"a":{"b":[1]},"b":2,"c":null}"#;
        assert_eq!(member::<u8>(text, "b").unwrap(), Some(2));
        assert_eq!(member::<u8>(text, "d").unwrap(), None);
        assert_eq!(member::<u8>("null", "b").unwrap(), None);
        assert_eq!(member_of_stream::<u8>(text.as_bytes(), "b").unwrap(), Some(2));
        assert!(member::<u8>(r#"{"b":1,"b":2}"#, "b").unwrap_err().to_string().contains("twice"));
        member::<u8>(r#"{"b":1} x"#, "b").unwrap_err();
        member::<u8>("[1]", "b").unwrap_err();
    }

    #[test]
    fn looks_at_every_entry() {
        let mut seen = Vec::new();
        each(r#"{"a":1,"b":[2]}"#, &mut |key, value| {
            seen.push((key.to_owned(), value.get().to_owned()));
            Ok(())
        })
        .unwrap();
        each("[3]", &mut |key, value| {
            seen.push((key.to_owned(), value.get().to_owned()));
            Ok(())
        })
        .unwrap();
        each("null", &mut |_, _| unreachable!()).unwrap();
        let seen: Vec<_> = seen.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(seen, [("a", "1"), ("b", "[2]"), ("", "3")]);
    }
}
