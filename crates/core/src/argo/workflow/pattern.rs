//! A string as it is stored, and the text that Argo may make of it.
//!
//! Argo (util/template) replaces a tag, `{{…}}` or `{{=…}}`, wherever it stands in
//! the template's JSON. An honest value becomes text within the string that the tag
//! stood in; whatever is outside of tags stays. Which tags Argo can resolve, and to
//! what, is not judged here: a tag may have become any text, or may still stand.

use std::borrow::Cow;
use std::ops::Range;

/// Whether Argo, and the kubelet after it, can have made `text` of `stored`.
pub(super) fn fits(stored: &str, text: &str) -> bool {
    stored == text
        || matches(stored, text)
        || (stored.contains("$$") && matches(&single_dollars(stored), &single_dollars(text)))
}

/// Whether a tag stands in `stored`.
pub(super) fn is_open(stored: &str) -> bool {
    !tags(stored).is_empty()
}

/// The pieces between the tags have to occur in order, the first at the beginning
/// and the last at the end. Taking each at its first place finds a way if there is
/// one, in one pass.
fn matches(stored: &str, text: &str) -> bool {
    let tags = tags(stored);
    let (Some(first), Some(last)) = (tags.first(), tags.last()) else { return stored == text };
    let piece = |range: Range<usize>| stored.get(range).unwrap_or_default();
    let Some(rest) = text.strip_prefix(piece(0..first.start)) else { return false };
    let Some(mut rest) = rest.strip_suffix(piece(last.end..stored.len())) else { return false };
    for (left, right) in tags.iter().zip(tags.iter().skip(1)) {
        let Some((_, after)) = rest.split_once(piece(left.end..right.start)) else { return false };
        rest = after;
    }
    true
}

/// Where tags stand, in order. One within another belongs to the outer one, and
/// braces that are not closed within the string are text.
fn tags(stored: &str) -> Vec<Range<usize>> {
    let bytes = stored.as_bytes();
    let mut open = Vec::new();
    let mut tags: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(two) = bytes.get(at..at + 2) {
        at += match two {
            b"{{" => {
                open.push(at);
                2
            }
            b"}}" => {
                if let Some(start) = open.pop() {
                    while tags.last().is_some_and(|inner| inner.start > start) {
                        tags.pop();
                    }
                    tags.push(start..at + 2);
                }
                2
            }
            _ => 1,
        };
    }
    tags
}

/// With every run of dollar signs as one. The kubelet makes one of two in the values
/// of variables, but not within `$(…)`, which may end anywhere in the template, and
/// not in a template that comes as a file.
fn single_dollars(text: &str) -> Cow<'_, str> {
    if !text.contains("$$") {
        return Cow::Borrowed(text);
    }
    let mut previous = ' ';
    let keep = |&character: &char| {
        let again = character == '$' && previous == '$';
        previous = character;
        !again
    };
    Cow::Owned(text.chars().filter(keep).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn free_text_stands_only_where_a_tag_stands() {
        for (stored, text) in [
            ("releases/{{workflow.parameters.version}}", "releases/v1"),
            ("{{a}}", ""),
            ("{{a}}", r#"v1"},"archive":{"none":{}}},{"name":"evil"#),
            ("{{a}}-{{b}}.tgz", "x-y-z.tgz"),
            ("{{inputs.parameters.{{item}}}}/x", "y/x"),
            ("{{=sprig.trim(inputs.parameters.a)}}!", "a!"),
            ("{{unknown}}", "{{unknown}}"),
            ("{{ {{a}} b", "{{ 1 b"),
            ("{\"a\":{\"b\":\"{{x}}\"}}", "{\"a\":{\"b\":\"1\"}}"),
            ("{{{x}}}", "1}"),
            ("a {{", "a {{"),
        ] {
            assert!(fits(stored, text), "{stored} {text}");
        }
        for (stored, text) in [
            ("releases/{{a}}", "release/v1"),
            ("{{a}}.tgz", "x.tgz "),
            ("a{{x}}a", "a"),
            ("{{a}}-{{b}}", "ab"),
            ("a-{{x}}-b-{{y}}-a", "a-b-a"),
            ("a {{", "a x"),
            ("}}a{{", "}}b{{"),
            ("", "a"),
            ("a", ""),
            ("{{ {{a}} b", "x 1 b"),
        ] {
            assert!(!fits(stored, text), "{stored} {text}");
        }
    }

    #[test]
    fn the_kubelet_halves_dollars() {
        for (stored, text) in
            [("a$$b", "a$b"), ("a$$b", "a$$b"), ("$$$", "$$"), ("$(x $$) $$ {{a}}", "$(x $$) $ $$")]
        {
            assert!(fits(stored, text), "{stored} {text}");
        }
        for (stored, text) in [("a$b", "a$$b"), ("a$$b", "ab"), ("$(A)", "x"), ("a$b", "ab")] {
            assert!(!fits(stored, text), "{stored} {text}");
        }
    }

    #[test]
    fn knows_open_strings() {
        assert!(is_open("a{{b}}c") && is_open("{{}}"));
        assert!(!is_open("a{{b") && !is_open("a}}b{{") && !is_open("{b}"));
    }

    proptest! {
        #[test]
        fn takes_whatever_is_put_in(pieces in proptest::collection::vec("[a-z{}$/-]{0,6}", 1..5), values in proptest::collection::vec("[a-z{}$/\"-]{0,6}", 4)) {
            let stored = pieces.join("{{x}}");
            let mut text = String::new();
            for (at, piece) in pieces.iter().enumerate() {
                if at > 0 {
                    text.push_str(&values[at - 1]);
                }
                text.push_str(piece);
            }
            // Braces of the pieces may open or close a tag of their own.
            if pieces.iter().all(|piece| !piece.contains(['{', '}'])) {
                prop_assert!(fits(&stored, &text), "{} {}", stored, text);
            }
            prop_assert!(fits(&stored, &stored));
        }
    }
}
