//! Text from elsewhere, short enough and fit to be shown.

use crate::relpath::printable;

/// What a cut text ends in.
const CUT: &str = "…";

/// `text` on one line, without anything that could drive a terminal, in at most
/// `limit` bytes of UTF-8 (at least 3). One that is longer is cut between two
/// characters and ends in `…`.
pub fn brief(text: &str, limit: usize) -> String {
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
