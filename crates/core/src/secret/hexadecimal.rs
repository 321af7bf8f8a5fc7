//! Hexadecimal digits that may be a key's, whole or in groups.

use std::ops::Range;

use super::looks::runs;

/// Digits in a row from which on they may be a seed's. Commits have 40.
const DIGITS: usize = 48;

/// Digits of a group, and how many groups make a key: as openssl, xxd and od print bytes,
/// and as they are written in programs. An IPv6 address has eight groups of four.
const GROUPS: [(usize, usize); 4] = [(2, 12), (4, 10), (8, 6), (16, 3)];

/// Bytes that are written as decimal numbers, from which on they may be a key's.
const NUMBERS: usize = 24;

/// What stands between two groups at most: `, 0x`, `\x` or a colon.
const BETWEEN: usize = 3;

/// The shortest that all this can be: twelve groups of two digits, with a colon between them.
const SHORTEST: usize = 12 * 2 + 11;

/// What may stand before the first group: `0x`.
const MARK: usize = 2;

/// The parts of a text that may be a key in hexadecimal.
pub(super) fn parts(text: &[u8]) -> Vec<Range<usize>> {
    let long = runs(text, |b| b.is_ascii_hexdigit()).filter(|run| {
        run.len() >= DIGITS && !is_digest(text.get(..run.start).unwrap_or_default(), run.len())
    });
    let mut found: Vec<_> = long.collect();
    for (digits, groups) in GROUPS {
        found.extend(rows(text, groups, |word| {
            word.len() == digits && word.iter().all(u8::is_ascii_hexdigit)
        }));
    }
    let is_byte = |word: &[u8]| str::from_utf8(word).is_ok_and(|word| word.parse::<u8>().is_ok());
    found.extend(rows(text, NUMBERS, is_byte));
    found
}

/// Whether the text is nothing but such digits in groups.
pub(super) fn is_in_groups(text: &[u8]) -> bool {
    let begins = text.iter().position(u8::is_ascii_alphanumeric).unwrap_or_default();
    let ends = text.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |at| at + 1);
    begins <= BETWEEN
        && ends - begins >= SHORTEST
        // Of whatever is read each line is asked, and most are not worth to be looked at for groups.
        && text.get(begins + MARK..ends).is_some_and(|groups| groups.iter().copied().all(may_be_of_group))
        && parts(text).iter().any(|part| part.start <= begins + MARK && part.end == ends)
}

fn may_be_of_group(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte.eq_ignore_ascii_case(&b'x') || !byte.is_ascii_alphanumeric()
}

/// Whether what stands before says that the digits are a digest: `sha256:`, or a folder
/// or a field of that name.
fn is_digest(before: &[u8], digits: usize) -> bool {
    let name = before
        .iter()
        .rposition(|b| !b":=/-\"' ".contains(b))
        .and_then(|last| before.get(..=last))
        .unwrap_or_default();
    let named =
        [(b"sha256", 64), (b"sha384", 96), (b"sha512", 128)].into_iter().any(|(algorithm, length)| {
            let at = name.len().saturating_sub(algorithm.len());
            digits == length && name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(algorithm))
        });
    named && name.len() < before.len()
}

/// Rows of so many words or more, each of which is what is looked for.
fn rows(text: &[u8], least: usize, is: impl Fn(&[u8]) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut row, mut count) = (0..0, 0);
    for run in runs(text, |b| b.is_ascii_alphanumeric()) {
        let word = text.get(run.clone()).unwrap_or_default();
        // Most words of a text end otherwise.
        let may_be = word.last().is_some_and(u8::is_ascii_hexdigit);
        let digits = may_be.then_some([&b"0x"[..], b"0X", b"x", b""]).and_then(|marks| {
            marks.iter().find_map(|mark| {
                let digits = word.strip_prefix(*mark)?;
                is(digits).then_some(digits.len())
            })
        });
        let follows = count > 0 && run.start - row.end <= BETWEEN;
        if !follows || digits.is_none() {
            if count >= least {
                found.push(row.clone());
            }
            count = 0;
        }
        if let Some(digits) = digits {
            if count == 0 {
                row = run.end - digits..run.end;
            }
            row.end = run.end;
            count += 1;
        }
    }
    if count >= least {
        found.push(row);
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// That most is refused at a glance changes no answer.
        #[test]
        fn a_glance_is_as_good_as_a_look(
            groups in prop_oneof![
                prop::collection::vec("(0x|x|0X)?[0-9a-f]{2}", 10..16),
                prop::collection::vec("[0-9A-F]{4}", 8..12),
                prop::collection::vec("[0-9]{1,3}", 20..30),
                prop::collection::vec("[0-9a-f]{48,52}", 1..2),
            ],
            between in prop_oneof!["[:, -]{1,4}", Just(", 0x".to_owned()), Just("\\x".to_owned())],
            before in "[\\[ \"/0xzgA-F]{0,4}",
            after in "[] :z]{0,2}",
        ) {
            let text = before + &groups.join(&between) + &after;
            let text = text.as_bytes();
            let begins = text.iter().position(u8::is_ascii_alphanumeric).unwrap_or_default();
            let ends = text.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |at| at + 1);
            let covered = parts(text).iter().any(|part| part.start <= begins + 2 && part.end == ends);
            prop_assert_eq!(is_in_groups(text), begins <= 3 && covered);
        }
    }

    #[test]
    fn only_digits_in_groups_are_that() {
        let pairs: Vec<_> = (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(57))).collect();
        for (text, is) in [
            (pairs.join(" "), true),
            (pairs.join(":") + ":", true),
            (format!("0x{}", pairs.join(", 0x")), true),
            (format!("\\x{}", pairs.join("\\x")), true),
            (format!("[{}]", (1..33).map(|n| n.to_string()).collect::<Vec<_>>().join(",")), true),
            (format!("/tmp/{}", pairs.join(" ")), false),
            ("2026-11-25".into(), false),
            ("aa:bb:cc:dd:ee:ff".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_in_groups(text.as_bytes()), is, "{text}");
        }
    }
}
