//! Every finding, each to be opened: of a workflow by its steps, of places one by one.

use argo_attest_core::audit::Standing;

use super::Section;
use super::facts::{About, By, Fact, StepFacts, is_trouble, words};
use super::markup::{Markup, Value};

/// Writes all findings of a section; what is missing first, where there are no steps.
pub(super) fn list(to: &mut Markup, section: &Section) {
    if !section.steps.is_empty() {
        to.element("h3", &[], |to| {
            to.say("Every step (");
            to.number(section.steps.len());
            to.say(")");
        });
        for of in &section.steps {
            step(to, of, section.run.is_none());
        }
    }
    if !section.loose.is_empty() {
        to.element("h3", &[], |to| {
            to.say(if section.steps.is_empty() {
                "Everything that was found ("
            } else {
                "Everything else ("
            });
            to.number(section.loose.len());
            to.say(")");
        });
        let (bad, good): (Vec<_>, Vec<_>) = section.loose.iter().partition(|fact| is_trouble(fact.standing));
        for fact in bad.into_iter().chain(good) {
            let class = if is_trouble(fact.standing) { "row trouble" } else { "row" };
            to.element("details", &[("class", Value::Own(class))], |to| {
                to.element("summary", &[], |to| {
                    badge(to, fact.standing, fact.reason);
                    to.say(" ");
                    named(to, fact);
                });
                to.element("div", &[("class", Value::Own("facts")), ("id", Value::Id(fact.anchor))], |to| {
                    told(to, fact);
                });
            });
            to.line();
        }
    }
    if section.unlisted > 0 {
        to.element("p", &[("class", Value::Own("warn"))], |to| {
            to.number(section.unlisted);
            to.say(" more findings are counted above and not listed here: -o json tells each.");
        });
    }
}

/// A verdict, in colour and in words.
pub(super) fn badge(to: &mut Markup, standing: Standing, reason: Option<&'static str>) {
    let (word, class) = words(standing);
    to.element("span", &[("class", Value::Own("badge")), ("data-is", Value::Own(class))], |to| to.say(word));
    if let Some(reason) = reason {
        to.say(" ");
        to.words("code", reason);
    }
}

/// What a finding is about.
pub(super) fn named(to: &mut Markup, fact: &Fact) {
    match fact.about {
        About::Step => to.say("the step itself"),
        About::Output => {
            to.say("output ");
            to.name(&fact.name);
        }
        About::Input => {
            to.say("input ");
            to.name(&fact.name);
        }
        About::Artifact => to.name(&fact.name),
        About::Attestation => {
            to.say("attestation ");
            to.name(&fact.name);
        }
    }
}

fn step(to: &mut Markup, of: &StepFacts, tell_workflow: bool) {
    let class = if of.is_troubled() { "row trouble" } else { "row" };
    to.element("details", &[("class", Value::Own(class))], |to| {
        to.element("summary", &[], |to| {
            badge(to, of.standing(), of.reason());
            to.say(" ");
            to.name(of.name());
        });
        to.element("div", &[("class", Value::Own("facts")), ("id", Value::Id(of.anchor))], |to| {
            to.element("dl", &[], |to| {
                pair(to, "Template", of.step.template.as_deref());
                pair(to, "Phase", of.step.phase.as_deref());
                pair(to, "Node", of.step.node_id.as_deref());
                if tell_workflow {
                    pair(to, "Workflow", of.step.workflow.as_deref());
                    pair(to, "Workflow uid", of.step.uid.as_deref());
                }
            });
            for fact in &of.facts {
                to.element("article", &[("id", Value::Id(fact.anchor))], |to| {
                    to.element("p", &[("class", Value::Own("what"))], |to| {
                        badge(to, fact.standing, fact.reason);
                        to.say(" ");
                        named(to, fact);
                    });
                    told(to, fact);
                });
            }
        });
    });
    to.line();
}

/// What is said of it, and by whom it is attested.
fn told(to: &mut Markup, fact: &Fact) {
    to.element("dl", &[], |to| {
        if fact.about == About::Artifact {
            pair(to, "Output", fact.output.as_deref());
        }
        pair(to, "Why", fact.message.as_deref());
        pair(to, "Help", fact.remedy.as_deref());
        if let Some(by) = &fact.by {
            by_whom(to, by);
        }
    });
}

fn by_whom(to: &mut Markup, by: &By) {
    let [claim, digest] = &by.told;
    pair(to, "Statement", Some(claim));
    pair(to, "Digest", Some(digest));
    pair(to, "Workflow", by.workflow.as_deref());
    pair(to, "Template", by.template.as_deref());
    pair(to, "Commit", by.commit.as_deref());
    pair(to, "Finished", by.finished.map(|at| at.to_string()).as_deref());
    pair(to, "Attestation", Some(&by.attestation));
    for beside in &by.beside {
        pair(to, "Beside", Some(beside));
    }
    if by.materials.is_empty() {
        return;
    }
    to.words("dt", "Went in");
    to.element("dd", &[], |to| {
        to.element("ul", &[], |to| {
            for material in &by.materials {
                to.element("li", &[], |to| {
                    to.name(&material.name);
                    if !material.uri.is_empty() {
                        to.say(": ");
                        to.name(&material.uri);
                    }
                    if let Some(digest) = &material.digest {
                        to.say(", ");
                        to.name(digest);
                    }
                    if material.is_attested {
                        to.say(", with an attestation");
                    }
                });
            }
        });
    });
}

fn pair(to: &mut Markup, term: &'static str, told: Option<&str>) {
    if let Some(told) = told.filter(|told| !told.is_empty()) {
        to.words("dt", term);
        to.element("dd", &[], |to| to.name(told));
    }
}
