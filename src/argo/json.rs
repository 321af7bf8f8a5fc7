//! A first look at JSON from elsewhere, before its fields are read: no key twice
//! in one object, at any depth.
//!
//! RFC 8259 section 4 leaves it open which of two equal keys counts. Go's decoder
//! merges them or takes the last, serde refuses those it knows and passes over
//! the others: two readers of one text would see two steps. Depth is bounded by
//! `serde_json` itself (128), which is why nothing here counts it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::relpath::printable;

/// Reads `text` as a `T` if it is one JSON value in which no object has a key
/// twice.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Unambiguous.deserialize(&mut reader)?;
    reader.end()?;
    serde_json::from_str(text)
}

#[derive(Clone, Copy)]
struct Unambiguous;

impl<'de> DeserializeSeed<'de> for Unambiguous {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            if let Some(twice) = seen.replace(key) {
                let name: String = twice.chars().take(64).collect();
                return Err(A::Error::custom(format_args!(
                    "the key `{}` occurs twice",
                    printable(name.as_bytes())
                )));
            }
            entries.next_value_seed(Self)?;
        }
        Ok(())
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        read::<serde_json::Value>(text).unwrap_err().to_string()
    }

    #[test]
    fn takes_any_json_without_equal_keys() {
        let text = r#"{"a":[1,-1,1.5,true,null,"x",{"a":{}}],"b":{"a":1}}"#;
        assert_eq!(
            read::<serde_json::Value>(text).unwrap(),
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }

    #[test]
    fn refuses_equal_keys_however_they_are_written() {
        assert!(refusal(r#"{"a":1,"a":1}"#).starts_with("the key `a` occurs twice"));
        assert!(refusal(r#"{"x":[{"ab":1,"\u0061b":1}]}"#).contains("`ab` occurs twice"));
        assert!(refusal(r#"{"\u001b[2J":1,"\u001b[2J":1}"#).contains("`%1B[2J` occurs twice"));
    }

    #[test]
    fn refuses_depth_and_trailing_text() {
        assert!(refusal(&"[".repeat(100_000)).starts_with("recursion limit exceeded"));
        assert!(refusal("{} {}").starts_with("trailing characters"));
        assert!(refusal(r#"{"a":NaN}"#).starts_with("expected value"));
    }
}
