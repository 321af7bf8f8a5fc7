//! JSON as values, of a bounded number, with no key twice in one object: a few bytes
//! of text become some hundred bytes of memory.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// More values than the template of a pod has.
pub(super) const VALUES_LIMIT: usize = 30_000;

/// More values than a template has that calls others, with some thousand tasks.
pub(super) const CALLERS_LIMIT: usize = 100_000;

/// Reads one JSON value that is made of at most `limit` values.
pub(super) fn read(text: &str, limit: usize) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Build { left: &Cell::new(limit) }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Build<'l> {
    left: &'l Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(D::Error::custom("too many values")),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom("an object has a key twice"));
            }
            object.insert(name, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        let text = r#"{"a":[1,-1,1.5,true,null,"x\n",{"a":{}}],"b":{"a":18446744073709551615}}"#;
        assert_eq!(read(text, 12).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn refuses_keys_that_are_twice_and_too_much() {
        let refusal = |text: &str| read(text, 10).unwrap_err().to_string();
        assert!(refusal(r#"{"a":{"b":1,"\u0062":2}}"#).contains("twice"));
        assert!(refusal("{} {}").contains("trailing"));
        assert!(refusal("[[],[],[],[],[],[],[],[],[],[]]").contains("too many values"));
        read("[[],[],[],[],[],[],[],[],[]]", 10).unwrap();
        assert!(read(&"[".repeat(1000), 1000).unwrap_err().to_string().contains("recursion limit"));
    }
}
