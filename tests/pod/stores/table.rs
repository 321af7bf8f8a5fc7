//! The table in docs/stores.md, a row a server.

use std::path::Path;

use super::abilities::{Abilities, Header};
use super::step::Step;

pub(crate) fn row(name: &str, version: &str, can: &Abilities, step: &Step, broken: &[&str]) -> String {
    let versions = match &can.versions {
        None => "no".to_owned(),
        Some(Header::Kept) => "yes".to_owned(),
        Some(other) => format!("yes; `If-None-Match` there: {other}"),
    };
    let attested: Vec<_> =
        step.kinds.iter().filter(|(_, why)| why.is_none()).map(|(kind, _)| *kind).collect();
    let mut notes: Vec<_> =
        step.kinds.iter().filter_map(|(kind, why)| Some(format!("{kind}: {}", why.as_ref()?))).collect();
    notes.extend(step.without.iter().map(|without| format!("written {without}")));
    if !broken.is_empty() {
        notes.push(format!("not kept: {}", broken.join(", ")));
    }
    let cells = [
        format!("{name} {version}"),
        can.sha256.to_string(),
        can.crc64nvme.to_string(),
        can.if_none_match.to_string(),
        can.if_match.to_string(),
        if can.lists { "yes" } else { "no" }.to_owned(),
        versions,
        attested.join(", "),
        notes.join("; "),
    ];
    format!("| {} |", cells.join(" | "))
}

/// Prints the row, and fails where the document has another one. With `BLESS` set the document
/// gets it.
#[expect(clippy::print_stdout, reason = "make stores prints the table")]
pub(crate) fn hold(row: &str) {
    println!("{row}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/stores.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let name = row.split(' ').nth(1).unwrap();
    let beginning = format!("| {name} ");
    let there = text.lines().find(|line| line.starts_with(&beginning));
    let there = there.unwrap_or_else(|| panic!("docs/stores.md has no row of {name}"));
    if std::env::var_os("BLESS").is_some_and(|bless| !bless.is_empty()) {
        std::fs::write(&path, text.replacen(there, row, 1)).unwrap();
    } else {
        assert_eq!(there, row, "docs/stores.md is not what was found: make stores BLESS=1");
    }
}
