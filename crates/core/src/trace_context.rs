//! W3C Trace Context, the `traceparent` value: <https://www.w3.org/TR/trace-context/>.
//! Argo 4.1 and later set it as the variable `TRACEPARENT`. `tracestate` is not
//! read: nothing is sent on.

use std::fmt;
use std::str::FromStr;

/// A trace. Zeros are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// A span of a trace. Zeros are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

/// Which trace this work belongs to, and which span of it asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    is_sampled: bool,
}

/// The text is no `traceparent` of version 00. Section 4.3 of the recommendation
/// has it that one starts without a trace then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTraceparent {
    /// Not `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, in lower case.
    #[error("not a traceparent of version 00")]
    Malformed,
    /// An id of zeros stands for none (sections 3.2.2.3 and 3.2.2.4).
    #[error("the traceparent has an id of zeros")]
    Zero,
}

impl TraceId {
    /// `None` for zeros, which stand for none (section 3.2.2.3).
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

impl SpanId {
    /// `None` for zeros, which stand for none (section 3.2.2.4).
    pub fn new(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        digits(&self.0, f)
    }
}

/// 16 lower-case hexadecimal digits.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        digits(&self.0, f)
    }
}

fn digits(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
}

impl TraceContext {
    /// The trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span that asked for this work (`parent-id`).
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether whoever asked may have recorded it (section 3.2.2.5).
    pub fn is_sampled(&self) -> bool {
        self.is_sampled
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        let mut fields = text.split('-');
        let mut field = || fields.next().unwrap_or_default();
        let (version, trace_id, span_id, flags) = (field(), field(), field(), field());
        if version != "00" || fields.next().is_some() {
            return Err(InvalidTraceparent::Malformed);
        }
        let (trace_id, span_id) = (hex(trace_id)?, hex(span_id)?);
        let [flags]: [u8; 1] = hex(flags)?;
        let trace_id = TraceId::new(trace_id).ok_or(InvalidTraceparent::Zero)?;
        let span_id = SpanId::new(span_id).ok_or(InvalidTraceparent::Zero)?;
        // Bits that are not known say nothing.
        Ok(Self { trace_id, span_id, is_sampled: flags & 1 == 1 })
    }
}

fn hex<const N: usize>(text: &str) -> Result<[u8; N], InvalidTraceparent> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Ok(b - b'0'),
        // Upper case is an error: section 3.2, `HEXDIGLC`.
        b'a'..=b'f' => Ok(b - b'a' + 10),
        _ => Err(InvalidTraceparent::Malformed),
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(InvalidTraceparent::Malformed);
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of section 3.2.2.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_the_published_example() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
    }

    #[test]
    fn refuses_all_else() {
        use InvalidTraceparent::{Malformed, Zero};
        let zeros = |n| "0".repeat(n);
        for (text, why) in [
            (String::new(), Malformed),
            (EXAMPLE.replacen("00", "01", 1), Malformed),
            (EXAMPLE.replacen("00", "ff", 1), Malformed),
            (EXAMPLE.to_uppercase(), Malformed),
            (format!("{EXAMPLE}-"), Malformed),
            (format!("{EXAMPLE}-00"), Malformed),
            (format!(" {EXAMPLE}"), Malformed),
            (format!("{EXAMPLE}\n"), Malformed),
            (EXAMPLE.replace("-01", ""), Malformed),
            (EXAMPLE.replace("-01", "-1"), Malformed),
            (EXAMPLE.replace("4bf9", "4bg9"), Malformed),
            (EXAMPLE.replace("4bf9", "4bf"), Malformed),
            (EXAMPLE.replace("4bf9", "4bé"), Malformed),
            (EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zeros(32)), Zero),
            (EXAMPLE.replace("00f067aa0ba902b7", &zeros(16)), Zero),
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(why), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn ids_survive(trace: [u8; 16], span: [u8; 8], flags: u8) {
            let digits = |bytes: &[u8]| {
                let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                halves.map(|half| char::from_digit(half.into(), 16).unwrap()).collect::<String>()
            };
            let text = format!("00-{}-{}-{flags:02x}", digits(&trace), digits(&span));
            let read = text.parse::<TraceContext>();
            if let (Some(trace_id), Some(span_id)) = (TraceId::new(trace), SpanId::new(span)) {
                prop_assert_eq!(trace_id.to_string(), digits(&trace));
                prop_assert_eq!(span_id.to_string(), digits(&span));
                prop_assert_eq!(read, Ok(TraceContext { trace_id, span_id, is_sampled: flags & 1 == 1 }));
            } else {
                prop_assert_eq!(read, Err(InvalidTraceparent::Zero));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = text.parse::<TraceContext>();
        }
    }
}
