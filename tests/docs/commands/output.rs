//! What a command printed, beside what a page shows. In a page `…` stands for any text, and for any
//! lines where it stands alone.

use snapbox::Data;
use snapbox::filter::NormalizeToExpected;

/// What was printed as the page has it, where the page is right; else shortened as in a page.
pub(crate) fn as_shown(printed: &str, shown: &str) -> String {
    let mut printed = shortened(printed);
    if !printed.is_empty() && !printed.ends_with('\n') {
        printed.push('\n');
    }
    let pattern = Data::text(wild(shown));
    let fitted = NormalizeToExpected::new().redact().normalize(Data::text(printed), &pattern);
    tame(&fitted.to_string())
}

fn wild(shown: &str) -> String {
    shown
        .split_inclusive('\n')
        .map(|line| if line == "…\n" { "...\n".to_owned() } else { line.replace('…', "[..]") })
        .collect()
}

fn tame(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| if line == "...\n" { "…\n".to_owned() } else { line.replace("[..]", "…") })
        .collect()
}

/// Without what nobody reads, or what is another one in each run.
fn shortened(printed: &str) -> String {
    let words = printed.split_inclusive(|c: char| c.is_whitespace() || ":,()\"".contains(c));
    let mut out = String::new();
    for word in words {
        let end = word.trim_end_matches(|c: char| c.is_whitespace() || ":,()\"".contains(c)).len();
        let (word, after) = word.split_at(end);
        if out.ends_with("SHA256:") && word.len() == 43 {
            out.push('…');
        } else if word.len() >= 40 && word.bytes().all(|b| b.is_ascii_hexdigit()) {
            out.push_str(&word[..8]);
            out.push('…');
        } else {
            out.push_str(word);
        }
        out.push_str(after);
    }
    out
}

#[test]
fn a_page_may_leave_things_out() {
    let printed = format!("accepted  out  dirHash:{}  as out\nfirst\nsecond\nlast\n", "5a49cd40".repeat(8));
    let shown = "accepted  out  dirHash:5a49cd40…  as out\n…\nlast\n";
    assert_eq!(as_shown(&printed, shown), shown);
    let other = shown.replace("cd40", "cd41");
    assert_ne!(as_shown(&printed, &other), other);
    assert_eq!(
        as_shown(&printed, ""),
        "accepted  out  dirHash:5a49cd40…  as out\nfirst\nsecond\nlast\n",
        "what is new is shortened"
    );
    let key = format!("signed with  SHA256:{} (your own key)\n", "A".repeat(43));
    assert_eq!(as_shown(&key, ""), "signed with  SHA256:… (your own key)\n");
}
