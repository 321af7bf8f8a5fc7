use proptest::prelude::*;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::*;
use crate::audit::Standing;

fn head() -> Head {
    Head {
        program: "argo-attest 0.1.0".into(),
        shard: "2/3".parse().unwrap(),
        run: "r".into(),
        asked: "sha256:00".into(),
        places: vec![b"s3://b/p/".to_vec(), b"s3://b/\x1b[31m%/".to_vec()],
        stores: vec!["https://s3.example.com".into()],
        since: None,
        not_ours: vec!["main.log".into()],
    }
}

fn listing(names: u64) -> Listing {
    Listing { count: names, digest: Sha256Digest::of(&names.to_be_bytes()) }
}

fn listed(to: &mut ShardWriter<Vec<u8>>) {
    to.listed(0, listing(7)).unwrap();
    to.listed(1, listing(0)).unwrap();
}

fn refused(artifact: &str) -> EntryText {
    let entry = json!({
        "artifact": artifact, "about": "artifact", "verdict": "refused", "reason": "altered", "message": "m",
    });
    EntryText { json: to_raw_value(&entry).unwrap(), unknown: None }
}

fn written(more: impl FnOnce(&mut ShardWriter<Vec<u8>>)) -> String {
    let mut writer = ShardWriter::begin(Vec::new(), &head()).unwrap();
    more(&mut writer);
    String::from_utf8(writer.end().unwrap()).unwrap()
}

fn read(text: &str) -> Result<(Head, Vec<Line>), ShardReportError> {
    let mut report = ShardReport::open(text.as_bytes())?;
    let mut lines = Vec::new();
    while let Some(line) = report.next_line()? {
        lines.push(line);
    }
    assert!(report.next_line()?.is_none());
    Ok((report.head().clone(), lines))
}

#[test]
fn what_was_written_is_read() {
    let run = ("u".to_owned(), "n\n".to_owned());
    let open = Open { run: Some(run.clone()), started_on: Some(Timestamp::UNIX_EPOCH) };
    let unknown = EntryText {
        json: to_raw_value(&json!({
            "artifact": "s3://b/p/%0A", "about": "artifact", "verdict": "error", "reason": "unreachable",
            "message": "m", "remedy": "r",
        }))
        .unwrap(),
        unknown: Some(Fault::Unavailable),
    };
    let attested = EntryText {
        json: to_raw_value(&json!({
            "artifact": "s3://b/p/a", "about": "artifact", "verdict": "attested", "subject": "a", "files": 1,
            "node": {"id": "n"}, "output": "o",
        }))
        .unwrap(),
        unknown: None,
    };
    let text = written(|to| {
        to.place(&unknown).unwrap();
        to.listed(1, listing(7)).unwrap();
        to.artifact(0, 4, &attested).unwrap();
        to.artifact(1, 2, &refused("s3://b/q/a")).unwrap();
        to.older(1, 7).unwrap();
        to.ended(&run, None).unwrap();
        to.outcome(b"s3://b/\xff", Some(&open), &refused("s3://b/o")).unwrap();
        to.object(b"s3://b/o", None, &refused("s3://b/o")).unwrap();
        to.left(&refused("s3://b/x")).unwrap();
    });
    let (read_head, lines) = read(&text).unwrap();
    assert_eq!((read_head, lines.len()), (head(), 9));
    let [
        Line::Place(first),
        Line::Listed { place: 1, listing: read_listing },
        Line::Artifact { place: 0, at: 4, entry },
        ..,
        Line::Left(_),
    ] = lines.as_slice()
    else {
        panic!("{lines:?}")
    };
    assert_eq!(*read_listing, listing(7));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
    assert_eq!(first.artifact, b"s3://b/p/\n");
    assert_eq!(first.finding.fault(), Some(Fault::Unavailable));
    assert_eq!(first.finding.remedy().as_deref(), Some("r"));
    assert_eq!((&entry.finding, entry.output.as_deref()), (&Finding::Attested, Some("o")));
    assert_eq!(entry.accepted.keys().collect::<Vec<_>>(), ["files", "subject"]);
    let Line::Outcome { from, open: read_open, entry } = &lines[6] else { panic!() };
    assert_eq!((from.as_slice(), read_open.as_ref()), (&b"s3://b/\xff"[..], Some(&open)));
    assert_eq!((entry.finding.standing(), entry.finding.fault()), (Standing::Missing, Some(Fault::No)));
    assert!(matches!(lines[5], Line::Ended { .. }) && matches!(lines[4], Line::Older { place: 1, count: 7 }));
}

#[test]
fn what_is_not_whole_is_refused() {
    let text = written(|to| {
        listed(to);
        to.artifact(0, 1, &refused("s3://b/p/a")).unwrap();
        to.artifact(0, 2, &refused("s3://b/p/b")).unwrap();
        to.left(&refused("s3://b/x")).unwrap();
    });
    let lines: Vec<_> = text.lines().collect();
    // Cut off anywhere, by lines or by bytes, also in the last newline.
    for end in 1..lines.len() {
        let cut = format!("{}\n", lines[..end].join("\n"));
        assert!(matches!(read(&cut), Err(ShardReportError::CutOff { .. })), "{end}");
    }
    for end in 0..text.len() {
        read(&text[..end]).unwrap_err();
    }
    // A line less, twice, or in another order.
    let in_order = |numbers: &[usize]| numbers.iter().map(|at| lines[*at]).collect::<Vec<_>>().join("\n");
    for odd in [
        in_order(&[0, 1, 2, 3, 5, 6]),
        in_order(&[0, 1, 2, 3, 3, 5, 6]),
        in_order(&[0, 1, 2, 4, 3, 5, 6]),
        in_order(&[0, 1, 2, 3, 5, 4, 6]),
        in_order(&[0, 2, 1, 3, 4, 5, 6]),
        in_order(&[0, 1, 1, 3, 4, 5, 6]),
        in_order(&[0, 1, 3, 2, 4, 5, 6]),
        format!("{text}{}", lines[3]),
    ] {
        assert!(matches!(read(&format!("{odd}\n")), Err(ShardReportError::Line { .. })), "{odd}");
    }
    // A place of which it does not say what there was.
    let short = written(|to| to.listed(1, listing(7)).unwrap());
    assert!(matches!(
        read(&short),
        Err(ShardReportError::Line { why: "it does not say of each place what there was", .. })
    ));
    for none in ["", "\n", "{}\n", "[]\n", lines[1], "{\"as\":\"head\"}\n"] {
        assert!(
            matches!(read(none), Err(ShardReportError::NoHead | ShardReportError::CutOff { .. })),
            "{none}"
        );
    }
    let long = format!("{}\n{}\n", lines[0], " ".repeat(MAX_LINE + 1));
    assert!(matches!(read(&long), Err(ShardReportError::TooLong { line: 2 })));
}

#[test]
fn what_cannot_be_said_together_is_refused() {
    let text = written(|to| {
        listed(to);
        to.left(&refused("s3://b/x")).unwrap();
    });
    read(&text).unwrap();
    for (from, to) in [
        ("\"as\":\"listed\",\"place\":0", "\"as\":\"listed\",\"place\":2"),
        ("\"digest\":\"", "\"digest\":\"x"),
        ("\"count\":7,", ""),
        ("\"refused\"", "\"attested\""),
        ("\"refused\"", "\"perfect\""),
        ("\"refused\"", "\"error\""),
        ("\"altered\"", "\"none\""),
        ("\"reason\":\"altered\",", ""),
        (",\"message\":\"m\"", ""),
        ("\"message\":\"m\"", "\"message\":\"m\",\"subject\":\"s\""),
        ("\"as\":\"left\"", "\"as\":\"left\",\"fault\":\"io\""),
        ("\"as\":\"left\"", "\"as\":\"left\",\"more\":1"),
        ("\"as\":\"left\"", "\"as\":\"right\""),
        ("\"about\":\"artifact\"", "\"about\":\"step\""),
        ("s3://b/x", "s3://b/%x"),
    ] {
        let odd = text.replacen(from, to, 1);
        assert_ne!(odd, text, "{from}");
        assert!(
            matches!(read(&odd), Err(ShardReportError::Line { .. } | ShardReportError::Json { .. })),
            "{to}"
        );
    }
    assert!(matches!(read(&text.replacen("2/3", "4/3", 1)), Err(ShardReportError::Shard(_))));
}

proptest! {
    /// Whatever is changed, nothing panics, and an error says nothing that cannot be printed.
    #[test]
    fn any_change_is_read_or_refused(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let text = written(|to| {
            listed(to);
            to.artifact(0, 1, &refused("s3://b/p/a")).unwrap();
            to.left(&refused("s3://b/x")).unwrap();
        });
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let report = ShardReport::open(bytes.as_slice()).and_then(|mut report| {
            while report.next_line()?.is_some() {}
            Ok(())
        });
        if let Err(error) = report {
            prop_assert!(!crate::text::causes(&error).chars().any(char::is_control));
        }
    }
}
