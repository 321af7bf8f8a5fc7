//! W3C Trace Context, the `traceparent` value: <https://www.w3.org/TR/trace-context/>.
//! Argo 4.1 and later set it as the variable `TRACEPARENT`. `tracestate` is not
//! read: nothing is sent on.

use std::fmt;
use std::str::FromStr;

/// Which trace this work belongs to, and which span of it asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
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

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceparent> {
        let mut fields = text.split('-');
        let mut field = || fields.next().unwrap_or_default();
        let (version, trace_id, span_id, flags) = (field(), field(), field(), field());
        if version != "00" || fields.next().is_some() {
            return Err(InvalidTraceparent::Malformed);
        }
        let trace_id: [u8; 16] = hex(trace_id)?;
        let span_id: [u8; 8] = hex(span_id)?;
        let [_flags]: [u8; 1] = hex(flags)?;
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(InvalidTraceparent::Zero);
        }
        Ok(Self { trace_id, span_id })
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

/// Bytes as lower-case hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl TraceContext {
    /// The trace, 32 lower-case hexadecimal digits.
    pub fn trace_id(&self) -> impl fmt::Display {
        Hex(&self.trace_id)
    }

    /// The span that asked for this work (`parent-id`), 16 digits.
    pub fn span_id(&self) -> impl fmt::Display {
        Hex(&self.span_id)
    }
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
        fn ids_survive(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) {
            let text = format!("00-{}-{}-{flags:02x}", Hex(&trace_id), Hex(&span_id));
            let read = text.parse::<TraceContext>();
            if trace_id == [0; 16] || span_id == [0; 8] {
                prop_assert_eq!(read, Err(InvalidTraceparent::Zero));
            } else {
                prop_assert_eq!(read, Ok(TraceContext { trace_id, span_id }));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = text.parse::<TraceContext>();
        }
    }
}
