//! Any JSON of foreign origin: what is read is within its limits, and has no name twice
//! in an object; so it is the same JSON to every reader.
#![no_main]

use argo_attest_core::json::{Limits, Opaque, parse};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;

const LIMITS: Limits = Limits { bytes: 1 << 16, values: 50, depth: 10 };

/// Whatever it is, as it is carried.
#[derive(Deserialize)]
struct Any {
    value: Opaque,
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = parse::<Any>(bytes, LIMITS) else { return };
    let value: Value = serde_json::from_str(read.value.as_json()).unwrap();
    let (values, depth) = measure(&value);
    assert!(bytes.len() <= LIMITS.bytes && values < LIMITS.values && depth < LIMITS.depth);
    // The values of another reader are all there are: no name took another's place.
    let alone = format!("{{\"value\":{}}}", read.value.as_json());
    parse::<Any>(alone.as_bytes(), Limits { values: values + 1, bytes: alone.len(), ..LIMITS }).unwrap();
});

/// How many values, and how many levels.
fn measure(value: &Value) -> (usize, usize) {
    let all = |inner: &mut dyn Iterator<Item = &Value>| {
        inner.map(measure).fold((1, 0), |(sum, deepest), (values, depth)| (sum + values, deepest.max(depth)))
    };
    match value {
        Value::Array(items) => {
            let (values, depth) = all(&mut items.iter());
            (values, depth + 1)
        }
        Value::Object(fields) => {
            let (values, depth) = all(&mut fields.values());
            (values, depth + 1)
        }
        _ => (1, 0),
    }
}
