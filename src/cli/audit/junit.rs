//! Findings as `JUnit`'s XML, which CI systems show: a suite for each workflow and one for the
//! places, a case for each finding.
//!
//! What is missing is a failure, what could not be found out an error, what is accounted for is
//! skipped. A report holds its counts before its cases, so it is kept until all is found.

use std::io;

use argo_attest_core::audit::Standing;
use argo_attest_core::verify::Reason;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::json::artifact;
use super::told::shown;
use crate::audit::{Entry, Subject};

/// All suites.
#[derive(Debug, Default)]
pub(super) struct Suites(Vec<Suite>);

#[derive(Debug, Default)]
struct Suite {
    name: String,
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Case {
    class: String,
    name: String,
    standing: Standing,
    reason: &'static str,
    message: String,
}

impl Suites {
    /// What follows is of this suite.
    pub(super) fn begin(&mut self, name: &str) {
        self.0.push(Suite { name: text(name), cases: Vec::new() });
    }

    /// Adds a finding.
    pub(super) fn case(&mut self, entry: &Entry) {
        if self.0.is_empty() {
            self.begin("places");
        }
        let step = entry.step.as_deref();
        let usual = if entry.subject == Subject::Audit { "audit" } else { "places" };
        let class = step.and_then(|step| step.node.as_deref().or(step.node_id.as_deref())).unwrap_or(usual);
        let case = Case {
            class: text(class),
            name: text(&artifact(entry)),
            standing: entry.finding.standing(),
            reason: entry.finding.reason().map(Reason::code).unwrap_or_default(),
            message: text(&entry.finding.message().unwrap_or_default()),
        };
        if let Some(suite) = self.0.last_mut() {
            suite.cases.push(case);
        }
    }

    /// The report.
    pub(super) fn xml(&self) -> io::Result<Vec<u8>> {
        let mut to = Writer::new_with_indent(Vec::new(), b' ', 2);
        to.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let all = || self.0.iter().flat_map(|suite| &suite.cases);
        let mut suites = BytesStart::new("testsuites");
        suites.push_attribute(("name", "argo-attest audit"));
        counts(&mut suites, &all());
        to.write_event(Event::Start(suites))?;
        for suite in &self.0 {
            let mut start = BytesStart::new("testsuite");
            start.push_attribute(("name", suite.name.as_str()));
            counts(&mut start, &suite.cases.iter());
            to.write_event(Event::Start(start))?;
            suite.cases.iter().try_for_each(|case| case.write(&mut to))?;
            to.write_event(Event::End(BytesEnd::new("testsuite")))?;
        }
        to.write_event(Event::End(BytesEnd::new("testsuites")))?;
        let mut xml = to.into_inner();
        xml.push(b'\n');
        Ok(xml)
    }
}

impl Case {
    fn write(&self, to: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let mut case = BytesStart::new("testcase");
        case.push_attribute(("classname", self.class.as_str()));
        case.push_attribute(("name", self.name.as_str()));
        let kind = match self.standing {
            Standing::Attested => return to.write_event(Event::Empty(case)),
            Standing::Missing => "failure",
            Standing::Unknown => "error",
            Standing::Accounted | Standing::LetPass => "skipped",
        };
        let told = format!("{}: {}", self.reason, self.message);
        let mut result = BytesStart::new(kind);
        result.push_attribute(("message", told.as_str()));
        to.write_event(Event::Start(case))?;
        if kind == "skipped" {
            to.write_event(Event::Empty(result))?;
        } else {
            result.push_attribute(("type", self.reason));
            to.write_event(Event::Start(result))?;
            to.write_event(Event::Text(BytesText::new(&told)))?;
            to.write_event(Event::End(BytesEnd::new(kind)))?;
        }
        to.write_event(Event::End(BytesEnd::new("testcase")))
    }
}

fn counts<'a>(of: &mut BytesStart<'_>, cases: &(impl Iterator<Item = &'a Case> + Clone)) {
    let count = |is: fn(Standing) -> bool| cases.clone().filter(|case| is(case.standing)).count().to_string();
    of.push_attribute(("tests", count(|_| true).as_str()));
    of.push_attribute(("failures", count(|of| of == Standing::Missing).as_str()));
    of.push_attribute(("errors", count(|of| of == Standing::Unknown).as_str()));
    let skipped = count(|of| matches!(of, Standing::Accounted | Standing::LetPass));
    of.push_attribute(("skipped", skipped.as_str()));
}

/// Text of others with nothing in it that XML 1.0 has no characters for (production 2, `Char`).
fn text(text: &str) -> String {
    let is_char =
        |c: &char| matches!(*c, '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    shown(text).chars().filter(is_char).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use argo_attest_core::audit::{Absence, Finding};
    use proptest::prelude::*;
    use quick_xml::Reader;

    use super::*;

    fn entry(path: &str, finding: Finding) -> Entry {
        let subject = Subject::Artifact { path: PathBuf::from(path), output: None };
        Entry { step: None, subject, finding, accepted: None }
    }

    /// Each element with its name attribute.
    fn elements(xml: &[u8]) -> Vec<(String, String)> {
        let mut reader = Reader::from_reader(xml);
        let mut found = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => return found,
                Event::Start(of) | Event::Empty(of) => {
                    let name = of.try_get_attribute("name").unwrap();
                    let name = name.map(|name| String::from_utf8(name.value.into_owned()).unwrap());
                    let of = String::from_utf8(of.name().as_ref().to_vec()).unwrap();
                    found.push((of, name.unwrap_or_default()));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_case_for_each_finding() {
        let mut suites = Suites::default();
        suites.begin("ci/wf");
        suites.case(&entry("a", Finding::Attested));
        suites.case(&entry("b", Finding::ObjectGone));
        suites.case(&entry("c", Finding::AbsentByRight(Absence::Output)));
        let xml = suites.xml().unwrap();
        let names: Vec<_> = elements(&xml).into_iter().map(|(of, _)| of).collect();
        assert_eq!(
            names,
            ["testsuites", "testsuite", "testcase", "testcase", "failure", "testcase", "skipped"]
        );
        let text = String::from_utf8(xml).unwrap();
        assert!(text.contains(r#"tests="3" failures="1" errors="0" skipped="1""#), "{text}");
        assert!(text.contains(r#"type="object-gone""#), "{text}");
    }

    proptest! {
        /// No name breaks out of its place, and the report stays XML.
        #[test]
        fn no_name_breaks_out(name in "[\\PC<>&\"'\u{0}\u{b}\u{fffe}\\]]{0,40}") {
            let mut suites = Suites::default();
            suites.begin(&name);
            suites.case(&entry(&name, Finding::Orphan));
            let found: Vec<_> = elements(&suites.xml().unwrap()).into_iter().map(|(of, _)| of).collect();
            prop_assert_eq!(found, ["testsuites", "testsuite", "testcase", "failure"]);
        }
    }
}
