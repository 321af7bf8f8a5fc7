//! Text from elsewhere, short enough and fit to be shown.

use crate::relpath::printable;
use crate::secret::redacted;

/// What a cut text ends in.
const CUT: &str = "…";
/// Bytes beyond the limit by which a key is told that is cut by it.
const BEYOND: usize = 256;

/// `text` on one line, without anything that could drive a terminal, in at most
/// `limit` bytes of UTF-8 (at least 3). One that is longer is cut between two
/// characters and ends in `…`. Without what may be a key: nobody signs, or asked for, what
/// is told so.
pub fn brief(text: &str, limit: usize) -> String {
    let seen = text.get(..text.floor_char_boundary(limit.saturating_add(BEYOND))).unwrap_or_default();
    let told = redacted(seen);
    if told == seen { cut(text, limit) } else { cut(&told, limit) }
}

/// The same with all that is in it: for what somebody asked to see as it is.
pub fn cut(text: &str, limit: usize) -> String {
    // The printable form is never shorter; what is surely cut off need not be made.
    let head = text.get(..text.floor_char_boundary(limit.saturating_add(1))).unwrap_or_default();
    let mut shown = printable(head.as_bytes());
    if text.len() > limit || shown.len() > limit {
        shown.truncate(shown.floor_char_boundary(limit.saturating_sub(CUT.len())));
        shown.push_str(CUT);
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_between_characters() {
        for (text, limit, shown) in [
            ("short", 5, "short"),
            ("longer", 5, "lo…"),
            ("ünïcödé", 8, "ünï…"),
            ("a\nb", 5, "a%0Ab"),
            ("a\nb", 4, "a…"),
            ("日本語", 3, "…"),
            ("", 3, ""),
        ] {
            assert_eq!(brief(text, limit), shown, "{text} {limit}");
        }
    }

    #[test]
    fn a_key_is_left_out_however_it_is_cut() {
        let line = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        for limit in [10, 40, 60, 200] {
            let (key, half) =
                (brief(&format!("not {line}"), limit), brief(&format!("not {}", &line[24..]), limit));
            assert!(!key.contains(&line[..6]) && !half.contains(&line[24..30]), "{key} {half}");
        }
        assert_eq!(cut(line, 100), line);
    }

    proptest! {
        #[test]
        fn keeps_its_limit(text in any::<String>(), limit in 3..60_usize) {
            let shown = brief(&text, limit);
            prop_assert!(shown.len() <= limit);
            prop_assert!(!shown.chars().any(char::is_control));
            if printable(text.as_bytes()).len() <= limit {
                prop_assert_eq!(shown, printable(text.as_bytes()));
            } else {
                prop_assert!(shown.ends_with(CUT));
            }
        }
    }
}
