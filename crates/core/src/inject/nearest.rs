//! Which of a few names somebody meant.

use crate::argo::is_ours;
use crate::contract::annotation::PREFIX;

/// Letters of a name that are looked at.
const LONGEST: usize = 100;
/// How many may be missing, too many or other ones.
const MOST: usize = 4;

/// How many of the part before the `/`: another domain's own names are nobody's mistake.
const MOST_OF_PREFIX: usize = 2;

/// Whether an annotation was meant to be one of ours: it has our prefix, or nearly.
pub(super) fn is_meant(name: &str) -> bool {
    is_ours(name) || name.split_once('/').is_some_and(|(prefix, _)| is_near(prefix))
}

fn is_near(prefix: &str) -> bool {
    let ours = PREFIX.trim_end_matches('/');
    let text = letters(prefix);
    let is_bare = ours.strip_suffix(".io").is_some_and(|bare| prefix.eq_ignore_ascii_case(bare));
    is_bare || distance(&text, ours) <= MOST_OF_PREFIX
}

/// The known name that a text is nearest to, whatever its case, if one is near.
pub(super) fn nearest<'k>(text: &str, known: &[&'k str]) -> Option<&'k str> {
    let text = letters(text);
    let near = known.iter().map(|name| (distance(&text, name), *name));
    near.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= MOST).map(|(_, name)| name)
}

fn letters(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).take(LONGEST).collect()
}

/// How many letters must be put in, left out or exchanged (Levenshtein's distance).
fn distance(from: &[char], to: &str) -> usize {
    let mut above: Vec<usize> = (0..=from.len()).collect();
    for (row, letter) in to.chars().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        let mut line = vec![left];
        for (other, above) in from.iter().zip(above.iter().skip(1)) {
            let least = (diagonal + usize::from(*other != letter)).min(left + 1).min(above + 1);
            (diagonal, left) = (*above, least);
            line.push(least);
        }
        above = line;
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_is_nearly_ours_was_meant() {
        for name in [
            "argo-attest.io/attest",
            "argo-atest.io/attest",
            "argo-attests.io/attest",
            "argoattest.io/verify-inputs",
            "argo-attest/attest",
            "Argo-Attest/attest",
            "argo-attest.com/x",
        ] {
            assert!(is_meant(name), "{name}");
        }
        for name in [
            "argoproj.io/attest",
            "workflows.argoproj.io/description",
            "argo-attest.example.com/team",
            "argo-cd.io/attest",
            "attest.io/attest",
            "argo-attest",
            "attest",
            "",
            "/",
        ] {
            assert!(!is_meant(name), "{name}");
        }
    }

    #[test]
    fn the_nearest_is_the_one_that_was_meant() {
        let known =
            ["argo-attest.io/attest", "argo-attest.io/verify-inputs", "argo-attest.io/place-attestations"];
        for (text, meant) in [
            ("argo-attest.io/atest", Some(known[0])),
            ("Argo-Attest.io/Attest", Some(known[0])),
            ("argo-attest.io/verify", None),
            ("argo-attest.io/verify-input", Some(known[1])),
            ("argo-attest.io/place-attestation", Some(known[2])),
            ("argo-attest.io/attested", Some(known[0])),
            ("argo-attest.io/something", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, &known), meant, "{text}");
        }
        assert_eq!(distance(&['a', 'b', 'c'], "abc"), 0);
        assert_eq!(distance(&['a', 'b', 'c'], "bcd"), 2);
        assert_eq!(distance(&[], "abc"), 3);
    }
}
