//! `audit` in parts, and by what it was narrowed.

use std::fs;

use serde_json::{Value, json};

use crate::audit::{audit, built};
use crate::program::Ended;
use crate::scripted::{Act, Plain, Request, Scripted, reply};
use crate::servers::{ACCESS_KEY, SECRET_KEY};
use crate::workshop::{BUILDER, Workshop, uri};

/// Audits each part, into a file of its own.
fn parts(shop: &Workshop, of: u32, more: &[&str]) -> Vec<String> {
    let one = |number: u32| {
        let (shard, report) = (format!("{number}/{of}"), format!("part-{number}.json"));
        let place = uri("wf/");
        let part = ["-o", "json", "--shard", &shard, "--report", &report, place.as_str()];
        let ended = audit(shop, &[&part, more].concat()).with(0).says("no answer yet");
        assert!(ended.out.is_empty(), "{ended:?}");
        report
    };
    (1..=of).map(one).collect()
}

fn merge(shop: &Workshop, more: &[&str], reports: &[String]) -> Ended {
    let reports: Vec<_> = reports.iter().map(String::as_str).collect();
    shop.run(&[&["audit"], more, &["merge"], &reports[..]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_are_put_together_say_what_one_audit_says() {
    let shop = built().await;
    // Something of each kind: gone, altered, unattested, a log.
    fs::remove_file(shop.in_bucket("wf/p1/app.tgz")).unwrap();
    fs::write(shop.in_bucket("wf/p2/image.tar"), "something else").unwrap();
    for number in 0..12 {
        fs::write(shop.in_bucket(&format!("wf/p2/=new-{number}")), "new").unwrap();
    }
    fs::write(shop.in_bucket("wf/p2/main.log"), "a log").unwrap();
    let reports = parts(&shop, 3, &[]);
    for form in ["text", "json", "csv", "junit"] {
        let whole = audit(&shop, &["-o", form, &uri("wf/")]).with(1);
        let together = merge(&shop, &["-o", form], &reports).with(1);
        assert_eq!(together.out, whole.out, "{form}");
        let counts = |ended: &Ended| ended.err.lines().next().unwrap_or_default().to_owned();
        assert_eq!(counts(&together), counts(&whole), "{form}");
    }
    // A directory of them, and a file for what comes of it.
    fs::create_dir(shop.desk.path("all")).unwrap();
    for report in &reports {
        fs::rename(shop.desk.path(report), shop.desk.path(format!("all/{report}"))).unwrap();
    }
    let whole = audit(&shop, &["-o", "json", &uri("wf/")]).with(1);
    let ended = merge(&shop, &["-o", "json", "--report", "all.json"], &["all".into()]).with(1);
    assert!(ended.out.is_empty());
    assert_eq!(shop.desk.read("all.json"), whole.out.as_bytes());

    // Whom to trust may be said once more, and nobody else may be named.
    shop.run(&["keygen", "--out-dir", "other"]).with(0);
    for by in [&["--key", "keys/attest.pub"][..], &["--key", "keys/attest.pub", "--not-ours", "main.log"]] {
        merge(&shop, by, &["all".into()]).with(1);
    }
    for (by, what) in [
        (&["--key", "other/attest.pub"][..], "by other keys, policy or options than"),
        (&["--key", "keys/attest.pub", "--key", "other/attest.pub"], ""),
        (&["--key", "keys/attest.pub", "--builder-id", BUILDER], ""),
        (&["--not-ours", "other.log"], "by other names with --not-ours than"),
        (&["--key", "keys/attest.pub", "--not-ours", "other.log"], ""),
    ] {
        let ended = merge(&shop, by, &["all".into()]).with(65).says(what);
        assert!(ended.out.is_empty(), "{ended:?}");
    }
    merge(&shop, &["--key", "none.pub"], &["all".into()]).with(77);
    merge(&shop, &["--annotate"], &["all".into()]).with(64).says("reports are put together as they are");

    // One less, one of another policy, one that is cut off, and something else.
    let report = |number: u32| format!("all/part-{number}.json");
    let all: Vec<_> = (1..=3).map(report).collect();
    merge(&shop, &[], &all[..2]).with(66).says("there is no report of part 3 of 3");
    merge(&shop, &[], &[all.clone(), vec![all[0].clone()]].concat()).with(65).says("are both of part 1");
    let others = parts(&shop, 3, &["--not-ours", "other.log"]);
    let mixed = [all[0].clone(), all[1].clone(), others[2].clone()];
    // What is said by default is another word than what was said then, if it is said.
    merge(&shop, &["--not-ours", "main.log"], &others).with(65).says("by other names with --not-ours than");
    merge(&shop, &["--not-ours", "other.log"], &others).with(1);
    merge(&shop, &[], &mixed)
        .with(65)
        .says("is of another audit than")
        .says("what is not ours (--not-ours) differs");
    let others = parts(&shop, 3, &["--builder-id", BUILDER]);
    let mixed = [all[0].clone(), all[1].clone(), others[2].clone()];
    merge(&shop, &[], &mixed).with(65).says("the policy, or an option, differs");
    let others = parts(&shop, 3, &["--run-id", "tonight"]);
    let mixed = [all[0].clone(), all[1].clone(), others[2].clone()];
    merge(&shop, &[], &mixed).with(65).says("the run (--run-id) differs");
    let text = shop.desk.read(&all[2]);
    let end = text[..text.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    shop.desk.write(&all[2], &text[..=end]);
    let ended = merge(&shop, &["--report", "none.json"], &all).with(65).says("it is cut off");
    assert!(ended.out.is_empty() && !shop.desk.path("none.json").exists(), "{ended:?}");
    shop.desk.write("odd.json", "{}\n");
    merge(&shop, &[], &["odd.json".into()]).with(65).says("its first line is no head");
    merge(&shop, &[], &["none".into()]).with(66);
    merge(&shop, &[], &[]).with(64).says("no report is named");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_can_be_divided_is() {
    let shop = built().await;
    let place = uri("wf/");
    for (arguments, why) in [
        (vec!["--shard", "1/2", place.as_str()], "the report of a part is JSON"),
        (vec!["--shard", "1/2", "-o", "json", "keys"], "--shard is for prefixes of a bucket"),
        (vec!["--shard", "1/2", "-o", "json", "--since", "24h", &place], "from another moment"),
        (vec!["--shard", "3/2", "-o", "json", &place], "there is no part 3 of 2"),
        (vec!["--shard", "1/2", "-o", "json", "-f", "wf.json", &place], "cannot be used with"),
        (vec!["--selector", "a=b", &place], "--selector is for all workflows of a namespace"),
        (vec!["--selector", "a=b", "argo://ci/build-1"], "--selector is for all workflows of a namespace"),
        (vec!["--since", "24h", "keys"], "--since is for prefixes of a bucket"),
        (vec!["--since", "yesterday", &place], "no duration such as 24h"),
    ] {
        audit(&shop, &arguments).with(64).says(why);
    }
    // A part of which there is nothing is a part all the same; nothing at all is told by each, and once.
    let (reports, nothing) = (["a", "b"].map(str::to_owned), uri("none/"));
    for (number, report) in reports.iter().enumerate() {
        let shard = format!("{}/2", number + 1);
        // A part that found nothing out says so: whoever runs it again can.
        let part = ["-o", "json", "--shard", &shard, "--report", report, &nothing];
        audit(&shop, &part).with(66).says("audit this part again");
    }
    let whole = audit(&shop, &["-o", "json", &nothing]).with(66);
    assert_eq!(merge(&shop, &["-o", "json"], &reports).with(66).out, whole.out);
}

/// A store that is away is no answer: what runs parts runs this one again.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_could_not_look_says_so_and_its_report_is_whole() {
    let shop = built().await;
    let part = |number: u32, endpoint: &str| {
        let (shard, report) = (format!("{number}/2"), format!("part-{number}.json"));
        let arguments = ["audit", "--key", "keys/attest.pub", "-o", "json", "--shard", &shard];
        let place = uri("wf/");
        let mut program =
            shop.desk.program([&arguments[..], &["--report", &report, place.as_str()]].concat());
        program
            .env("AWS_ENDPOINT_URL_S3", endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let ended: Ended = tokio::task::block_in_place(|| program.output().unwrap()).into();
        (ended, report)
    };
    let away = Scripted::choosing(Plain, |_: &Request| Some(Act::Reply(reply(403, &[], b""))));
    let (ended, one) = part(1, &away.endpoint());
    ended.with(77).says("no answer yet").says("audit this part again");
    let (ended, two) = part(2, &shop.endpoint);
    ended.with(0);
    // They asked two stores: what the one does not have the other may.
    merge(&shop, &[], &[one, two.clone()]).with(65).says("the store's address differs");
    let (ended, one) = part(1, &shop.endpoint);
    ended.with(0);
    merge(&shop, &[], &[one, two]).with(0);
}

/// What an audit was told to leave out is in each form of its report, and in that of its parts.
#[tokio::test(flavor = "multi_thread")]
async fn by_what_an_audit_was_narrowed_is_in_its_report() {
    let shop = built().await;
    fs::write(shop.in_bucket("wf/p1/notes.txt"), "a note").unwrap();
    let by = ["--since", "2020-01-01T00:00:00Z", "--not-ours", "notes.txt"];
    let said = "it was narrowed: only what changed since 2020-01-01T00:00:00Z; files without an attestation that are \
                called notes.txt count as nobody's";
    let reports = parts(&shop, 2, &by);
    for form in ["text", "json", "csv", "junit"] {
        let whole = audit(&shop, &[&by[..], &["-o", form, &uri("wf/")]].concat()).with(0);
        let flat = whole.out.split_whitespace().collect::<Vec<_>>().join(" ").replace("&apos;", "'");
        assert!(flat.contains(said), "{form}: {}", whole.out);
        assert_eq!(merge(&shop, &["-o", form], &reports).with(0).out, whole.out, "{form}");
        let counts = whole.err.lines().next().unwrap_or_default();
        assert_eq!(counts, "2 attested, 1 not-ours of 3", "what is narrowed is no finding");
        // Who asks only for what is missing gets only that.
        let quiet = audit(&shop, &[&by[..], &["-q", "-o", form, &uri("wf/")]].concat()).with(0);
        assert!(!quiet.out.contains("narrowed"), "{quiet:?}");
        // What is usual is not told.
        fs::rename(shop.in_bucket("wf/p1/notes.txt"), shop.in_bucket("wf/p1/main.log")).unwrap();
        let usual = audit(&shop, &["-o", form, &uri("wf/")]).with(0);
        assert!(!usual.out.contains("narrowed"), "{usual:?}");
        fs::rename(shop.in_bucket("wf/p1/main.log"), shop.in_bucket("wf/p1/notes.txt")).unwrap();
    }
    let json = audit(&shop, &[&by[..], &["-o", "json", &uri("wf/")]].concat()).with(0);
    let first: Value = serde_json::from_str(json.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["about"], "audit");
    let narrowed = json!({"since": "2020-01-01T00:00:00Z", "notOurs": ["notes.txt"]});
    assert_eq!(first["narrowedBy"], narrowed);
    audit(&shop, &[&by[..], &["--html", "page.html", &uri("wf/")]].concat()).with(0);
    let page = String::from_utf8(shop.desk.read("page.html")).unwrap();
    assert!(page.contains("This audit was narrowed") && page.contains("only what changed since 2020"));
}

/// Where Argo stages the reports of a step that was watched, their attestations are staged with them.
#[tokio::test(flavor = "multi_thread")]
async fn attestations_among_reports_are_passed_over() {
    let shop = built().await;
    let reports = parts(&shop, 2, &[]);
    fs::create_dir(shop.desk.path("all")).unwrap();
    for report in &reports {
        fs::rename(shop.desk.path(report), shop.desk.path(format!("all/{report}"))).unwrap();
        for suffix in ["sigstore.json", "intoto.jsonl"] {
            shop.desk.write(format!("all/{report}.{suffix}"), "{}\n");
        }
    }
    let all = ["all".to_owned()];
    merge(&shop, &[], &all).with(0).says("note: 4 attestations in all are passed over");
    assert!(merge(&shop, &["-q"], &all).with(0).err.is_empty());
    // One that is named is taken at its word.
    merge(&shop, &[], &["all/part-1.json.sigstore.json".into()]).with(65);
}

/// Nobody signs the reports of parts.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_a_part_says_nothing_that_a_terminal_or_prometheus_takes_for_more() {
    let shop = built().await;
    let reports = parts(&shop, 2, &["--since", "2020-01-01T00:00:00Z"]);
    for report in &reports {
        let text = String::from_utf8(shop.desk.read(report)).unwrap();
        let hostile = r"s3://b/\u001b[31m\r\n\u202e\u0000x\\\u0022}/";
        let place = format!("[\"{}\"]", uri("wf/"));
        assert!(text.contains(&place), "{text}");
        let text = text.replacen(&place, &format!("[\"{hostile}\"]"), 1);
        // Something was not looked at, so that the place is told.
        let end = text.lines().count();
        let older = r#"{"as":"older","place":0,"count":3}"#;
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let at = lines
            .iter()
            .rposition(|line| line.contains("\"listed\"") || line.contains("\"artifact\",\"place\""));
        lines.insert(at.unwrap() + 1, older.to_owned());
        *lines.last_mut().unwrap() = format!("{{\"as\":\"end\",\"count\":{end}}}");
        shop.desk.write(report, lines.join("\n") + "\n");
    }
    for form in ["text", "json", "csv", "junit"] {
        let ended = merge(&shop, &["-o", form, "--metrics-file", "audit.prom"], &reports).with(0);
        let counts = String::from_utf8(shop.desk.read("audit.prom")).unwrap();
        for text in [&ended.out, &ended.err, &counts] {
            let is_odd =
                |c: char| (c.is_control() && c != '\n' && !(form == "csv" && c == '\r')) || c == '\u{202e}';
            assert!(!text.contains(is_odd), "{form}: {text:?}");
        }
        assert!(ended.out.contains("6 of it did not change"), "{form}: {}", ended.out);
        let label = r#"place="s3://b/%1B[31m%0D%0A%E2%80%AE%00x\\\"}/""#;
        assert!(counts.contains(&format!("argo_attest_audit_complete{{{label}}} 1\n")), "{counts}");
        crate::monitoring::is_read_by_prometheus(&shop.desk);
    }
}
