//! Findings as a table (RFC 4180), for spreadsheets.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and names come
//! from strangers: such a cell begins with `'`.

use std::os::unix::ffi::OsStrExt as _;

use argo_attest_core::relpath::printable;
use argo_attest_core::verify::Reason;

use super::json::about;
use super::told::shown;
use crate::audit::{Entry, Subject};

const NAMES: [&str; 19] = [
    "namespace",
    "workflow",
    "workflow_uid",
    "node",
    "node_id",
    "template",
    "phase",
    "about",
    "output",
    "artifact",
    "verdict",
    "reason",
    "message",
    "digest",
    "attestation",
    "key",
    "key_id",
    "builder_id",
    "commit",
];

/// The line of names.
pub(super) fn header() -> String {
    format!("{}\r\n", NAMES.join(","))
}

/// One finding.
pub(super) fn line(entry: &Entry) -> String {
    let step = entry.step.as_deref();
    let of_step = |get: fn(&crate::audit::Step) -> &Option<String>| {
        step.and_then(|step| get(step).clone()).unwrap_or_default()
    };
    let accepted = entry.accepted.as_deref();
    let told = |get: fn(&crate::report::Accepted) -> Option<&String>| {
        accepted.and_then(get).cloned().unwrap_or_default()
    };
    let artifact = match &entry.subject {
        Subject::Input(uri) => uri.clone(),
        _ => printable(entry.artifact().as_os_str().as_bytes()),
    };
    let cells: [String; NAMES.len()] = [
        of_step(|step| &step.namespace),
        of_step(|step| &step.workflow),
        of_step(|step| &step.uid),
        of_step(|step| &step.node),
        of_step(|step| &step.node_id),
        of_step(|step| &step.template),
        of_step(|step| &step.phase),
        about(entry).to_owned(),
        entry.output().unwrap_or_default().to_owned(),
        artifact,
        entry.finding.standing().verdict().to_owned(),
        entry.finding.reason().map(Reason::code).unwrap_or_default().to_owned(),
        entry.finding.message().unwrap_or_default(),
        told(|of| Some(&of.digest)),
        told(|of| Some(&of.attestation)),
        told(|of| Some(&of.key)),
        told(|of| Some(&of.key_id)),
        told(|of| of.builder_id.as_ref()),
        told(|of| of.commit.as_ref()),
    ];
    let cells: Vec<_> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", cells.join(","))
}

fn cell(text: &str) -> String {
    let text = shown(text);
    let harmless =
        if text.trim_start().starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if harmless.contains(['"', ',', '\r', '\n']) || harmless.starts_with(' ') || harmless.ends_with(' ') {
        return format!("\"{}\"", harmless.replace('"', "\"\""));
    }
    harmless
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_ends_early() {
        assert_eq!(cell("plain"), "plain");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1"] {
            let made = cell(formula);
            assert!(made.trim_start_matches('"').starts_with('\''), "{made}");
        }
        assert_eq!(cell(r#"a"b,c"#), r#""a""b,c""#);
        assert!(!cell("a\r\n=b").contains(['\r', '\n']), "a line is one finding");
        assert_eq!(header().matches(',').count() + 1, NAMES.len());
    }

    proptest! {
        /// What is read back of it, by the rules of RFC 4180, is one cell.
        #[test]
        fn any_text_is_one_cell(text in "\\PC{0,30}") {
            let made = cell(&text);
            let inside = made.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            prop_assert!(inside.is_some() || !made.contains(','));
            let alone = inside.map_or_else(|| made.clone(), |quoted| quoted.replace("\"\"", ""));
            prop_assert!(!alone.contains('"'), "a quote ends the cell");
            let read = inside.map_or_else(|| made.clone(), |quoted| quoted.replace("\"\"", "\""));
            prop_assert!(!read.trim_start().starts_with(['=', '+', '-', '@']));
        }
    }
}
