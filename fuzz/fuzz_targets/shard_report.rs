//! Reports of a part of an audit, from anybody: reading one ends, what is read of it comes in its order,
//! and nothing is attested of which the report does not say by whom.
#![no_main]

use argo_attest_core::audit::Standing;
use argo_attest_core::audit::shard_report::{Line, Reported, ShardReport};
use argo_attest_core::text::causes;
use libfuzzer_sys::fuzz_target;

fn entry(line: &Line) -> Option<&Reported> {
    match line {
        Line::Place(entry)
        | Line::Artifact { entry, .. }
        | Line::Outcome { entry, .. }
        | Line::Object { entry, .. }
        | Line::Left(entry) => Some(entry),
        Line::Listed { .. } | Line::Older { .. } | Line::Ended { .. } => None,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut report = match ShardReport::open(bytes) {
        Ok(report) => report,
        Err(error) => {
            assert!(!causes(&error).chars().any(char::is_control));
            return;
        }
    };
    let places = report.head().places.len();
    let (mut lines, mut last) = (0_u64, None);
    loop {
        let line = match report.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => {
                assert!(!causes(&error).chars().any(char::is_control));
                return;
            }
        };
        lines += 1;
        if let Line::Artifact { place, at, .. } = &line {
            assert!(*place < places && last.is_none_or(|last| last < (*place, *at)));
            last = Some((*place, *at));
        }
        if let Some(entry) = entry(&line) {
            let standing = entry.finding.standing();
            assert_eq!(standing == Standing::Attested, !entry.accepted.is_empty());
            assert_eq!(
                standing == Standing::Unknown || standing == Standing::Missing,
                entry.finding.fault().is_some()
            );
        }
    }
    assert!(lines < u64::MAX && bytes.ends_with(b"\n"));
});
