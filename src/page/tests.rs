//! The page as a whole; how a browser takes it is tested in `tests/commands/pages.rs`.

use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::{Absence, Finding, Invocation, WorkflowRun};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::audit::Subject;

fn audited() -> Audited {
    Audited {
        at: Timestamp::UNIX_EPOCH,
        by: "argo-attest 1.2.3".into(),
        trusting: vec!["policy policy.yaml".into()],
        places: Vec::new(),
        narrowing: Narrowing::default(),
    }
}

fn step(name: &str) -> Arc<Step> {
    Arc::new(Step {
        workflow: Some("wf".into()),
        namespace: Some("ci".into()),
        uid: Some("u".into()),
        node_id: Some(format!("id-{name}")),
        node: Some(name.into()),
        template: Some("t".into()),
        phase: Some("Succeeded".into()),
    })
}

fn entry(step: Option<Arc<Step>>, path: &str, finding: Finding) -> Entry {
    let subject = Subject::Artifact { path: PathBuf::from(path), output: Some("o".into()) };
    Entry { step, subject, finding, accepted: None }
}

fn run(name: &str) -> WorkflowRun {
    let workflow = json!({
        "metadata": {"name": name, "namespace": "ci", "uid": "u"},
        "status": {"phase": "Succeeded", "nodes": {
            "id-a": {"name": "a", "type": "Pod", "phase": "Succeeded"},
            "id-b": {"name": "b", "type": "Pod", "phase": "Succeeded", "inputs": {"artifacts": [
                {"name": "i", "s3": {"key": "k"}},
            ]}},
        }, "artifactRepositoryRef": {"artifactRepository": {"s3": {"bucket": "b"}}}},
    });
    WorkflowRun::read_all(workflow.to_string().as_bytes()).unwrap().remove(0)
}

/// The tags of a page: `<` begins one, since text has none.
fn tags(html: &str) -> Vec<&str> {
    let sheet = include_str!("page.css");
    assert!(html.contains(sheet) && !sheet.contains('<'), "the sheet cannot be ended");
    html.split('<').skip(1).map(|tag| tag.split([' ', '>']).next().unwrap()).collect()
}

#[test]
fn totals_come_first_and_each_finding_can_be_reached() {
    let mut page = Page::default();
    page.workflow(&run("wf"));
    page.entry(&entry(Some(step("a")), "s3://b/k", Finding::Attested));
    page.entry(&entry(Some(step("b")), "s3://b/m", Finding::Spliced { signed: Some(Invocation::default()) }));
    page.entry(&entry(Some(step("b")), "s3://b/main.log", Finding::NotOurs));
    page.places();
    page.entry(&entry(None, "s3://b/x", Finding::Orphan));
    let html = page.html(&audited());
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"));
    assert!(at("Something is not attested") < at("class=\"tiles\"") && at("class=\"tiles\"") < at("<svg"));
    assert!(at("<svg") < at("Every step ("));
    assert!(
        html.contains("<strong>2</strong> <span>not attested</span><small>1 spliced, 1 orphan</small>"),
        "{html}"
    );
    // A line that only the text of the workflow has.
    assert!(html.contains("class=\"line unsigned\""), "{html}");
    let links: Vec<_> = html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() >= 6, "{links:?}");
    for link in links {
        assert_eq!(html.matches(&format!(" id=\"{link}\"")).count(), 1, "{link}");
    }
    let markup = html.split("</style>").nth(1).unwrap();
    let inside: Vec<_> = markup.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()).collect();
    for tag in inside {
        assert!(!tag.starts_with("script") && !tag.contains("javascript:"), "{tag}");
        assert!(!tag.contains("href=\"") || tag.contains("href=\"#"), "{tag}");
        assert!(![" on", " src=", " style=", " xlink"].iter().any(|no| tag.contains(no)), "{tag}");
    }
}

#[test]
fn by_what_it_was_narrowed_is_said_beside_the_totals() {
    let narrowing = Narrowing {
        since: Some(Timestamp::UNIX_EPOCH),
        selector: Some("<b>!=b".into()),
        not_ours: vec!["main.log".into()],
    };
    let html = Page::default().html(&Audited { narrowing, ..audited() });
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"));
    assert!(at("class=\"tiles\"") < at("This audit was narrowed"));
    assert!(at("only what changed since 1970-01-01T00:00:00Z") < at("class=\"audited\""));
    assert!(html.contains("the labels &lt;b&gt;!=b") && html.contains("called main.log"), "{html}");
    assert!(!Page::default().html(&audited()).contains("narrowed"));
}

#[test]
fn places_alone_are_a_list_and_nothing_is_said_so() {
    let mut page = Page::default();
    page.places();
    page.entry(&entry(None, "out/good", Finding::Attested));
    page.entry(&entry(None, "out/bad", Finding::ObjectGone));
    let html = page.html(&audited());
    assert!(!html.contains("<svg") && html.contains("Everything that was found ("), "{html}");
    let list = html.split("Everything that was found (").nth(1).unwrap();
    assert!(list.find("out/bad") < list.find("out/good"), "what is missing comes first");
    let none = Page::default().html(&audited());
    assert!(none.contains("Nothing was found") && !none.contains("Nothing is missing"));
}

#[test]
fn what_is_too_much_is_counted() {
    let mut page = Page::default();
    page.places();
    for at in 0..GOOD + 2 {
        page.entry(&entry(None, &format!("out/{at}"), Finding::AbsentByRight(Absence::Output)));
    }
    page.entry(&entry(None, "out/bad", Finding::ObjectGone));
    let html = page.html(&audited());
    assert!(html.contains("2 more findings are counted above"));
    assert!(html.contains("out/bad") && html.contains(&format!("<strong>{}</strong>", GOOD + 3)));
}

proptest! {
    /// Whatever names say, the elements are the same.
    #[test]
    fn no_name_makes_an_element(name in "[\\PC<>&\"'`/=\u{0}\u{b}\u{202e}\u{2028}\u{fffe}\\]-]{1,60}") {
        let of = |name: &str| {
            let mut page = Page::default();
            page.workflow(&run(name));
            // No node of the workflow, and so taken by none.
            let other = format!("~{name}");
            page.entry(&entry(Some(step(&other)), &other, Finding::Orphan));
            page.entry(&entry(None, name, Finding::RefusedInStep { why: name.into() }));
            let narrowing =
                Narrowing { selector: Some(name.into()), not_ours: vec![name.into()], ..Narrowing::default() };
            page.html(&Audited { trusting: vec![name.into()], places: vec![name.into()], narrowing, ..audited() })
        };
        let (hostile, plain) = (of(&name), of("x"));
        prop_assert_eq!(tags(&hostile), tags(&plain));
        prop_assert!(hostile.chars().all(|c| argo_attest_core::relpath::is_printable(c) || c == '\n'));
    }
}
