//! Numbers, and the texts that are written in one form only.

use super::form::Width;

/// The number, as far as it may be one, that `rest` begins with.
pub(super) fn token(rest: &str) -> &str {
    let end = rest.bytes().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// Whether that is how Go writes an integer of this size.
pub(super) fn is_integer(token: &str, width: Width) -> bool {
    match width {
        Width::Int32 => token.parse::<i32>().is_ok_and(|number| number.to_string() == token),
        Width::Int64 => token.parse::<i64>().is_ok_and(|number| number.to_string() == token),
        Width::UInt64 => token.parse::<u64>().is_ok_and(|number| number.to_string() == token),
    }
}

/// Whether that is how Go writes any number that it read from JSON: as an integer, or
/// as a `float64`.
pub(super) fn is_number(token: &str) -> bool {
    is_integer(token, Width::Int64)
        || token.parse::<f64>().is_ok_and(|number| number.is_finite() && float(number) == token)
}

/// A `float64` as `encoding/json` writes it: the shortest digits, as ECMAScript does.
pub(super) fn float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let written = format!("{number:e}");
        return if size < 1.0 { written } else { written.replace('e', "e+") };
    }
    format!("{number}")
}

/// Whether that is a `Quantity` as it writes itself: an integer, and a suffix.
pub(super) fn is_quantity(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (number, suffix) = digits.split_at_checked(end).unwrap_or_default();
    let canonical = number == "0" || !number.is_empty() && !number.starts_with('0');
    let known = matches!(
        suffix,
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei"
    );
    let exponent = suffix.strip_prefix('e').is_some_and(|exponent| {
        is_integer(exponent, Width::Int32) && !matches!(exponent, "0" | "-0") && exponent.len() < 5
    });
    canonical && (known || exponent)
}

/// Whether that is a time of Kubernetes' as it writes itself: in UTC, to the second.
pub(super) fn is_time(text: &str) -> bool {
    let pattern = b"0000-00-00T00:00:00Z";
    text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *expected,
        })
}

/// Whether that is base64 as Go writes bytes, of which there are some.
pub(super) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    !digits.is_empty()
        && text.len().is_multiple_of(4)
        && padding < 3
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for written in
            ["0", "-1", "7", "-9223372036854775808", "1.5", "-0", "1e+21", "1e-7", "0.000001", "1.5e+300"]
        {
            assert!(is_number(written), "{written}");
        }
        assert!(is_number("100000000000000000000"), "2^64 and more is a float64, with all its digits");
        for other in
            ["", "-", "01", "+1", "1.0", "1e21", "1E+21", "1e+9", ".5", "5.", "1e999", "0x1", "NaN", "1-1"]
        {
            assert!(!is_number(other), "{other}");
        }
        assert!(is_integer("2147483647", Width::Int32) && !is_integer("2147483648", Width::Int32));
        assert!(is_integer("18446744073709551615", Width::UInt64) && !is_integer("-1", Width::UInt64));
        assert!(!is_integer("-0", Width::Int64) && !is_integer("+1", Width::Int64));
    }

    #[test]
    fn quantities_times_and_bytes_have_one_form() {
        for written in ["0", "1", "-5", "100m", "1536Mi", "3e4", "1e-3", "12e10"] {
            assert!(is_quantity(written), "{written}");
        }
        for other in ["", "1.5Gi", "01", "+1", "1 Gi", "1K", "1e0", "1e", "1e+3", "1E3", "{{x}}", "Mi", "--1"]
        {
            assert!(!is_quantity(other), "{other}");
        }
        assert!(is_time("2026-11-25T18:00:00Z"));
        assert!(!is_time("2026-11-25T18:00:00+01:00") && !is_time("2026-11-25T18:00:00.5Z"));
        assert!(is_base64("aGk=") && is_base64("aGkh") && is_base64("aA=="));
        assert!(!is_base64("") && !is_base64("aGk") && !is_base64("a===") && !is_base64("a-k="));
    }
}
