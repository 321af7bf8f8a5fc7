//! What stands first: whether anything is missing, how much there is of each verdict, what was
//! audited, by whom and when; then what is missing.

use argo_attest_core::audit::{Standing, Totals};
use argo_attest_core::verify::Reason;

use super::facts::{is_trouble, words};
use super::graph::Graph;
use super::list::{self, badge};
use super::markup::{Anchor, Markup, Value};
use super::picture::picture;
use super::{Audited, Page, Section};

/// Nothing is run, nothing is fetched, nothing is sent; the one style sheet is the page's own.
const NOTHING_ELSE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// Troubles that are named at the top; all are in the lists.
const NAMED: usize = 200;
/// Findings up to which all is printed, and not only what is missing.
const PRINTED: usize = 300;

pub(super) fn page(page: &Page, audited: &Audited) -> String {
    let mut to = Markup::default();
    to.declare();
    to.element("html", &[("lang", Value::Own("en"))], |to| {
        to.element("head", &[], |to| head(to, page));
        to.line();
        let class = if page.totals.all() > PRINTED { "many" } else { "few" };
        to.element("body", &[("class", Value::Own(class))], |to| {
            to.element("a", &[("class", Value::Own("skip")), ("href", Value::To(Anchor('m', 1)))], |to| {
                to.say("Skip to the findings");
            });
            to.element("header", &[], |to| {
                banner(to, page);
                tiles(to, &page.totals);
                narrowed(to, audited);
                audit(to, page, audited);
            });
            to.line();
            to.element("main", &[("id", Value::Id(Anchor('m', 1)))], |to| {
                missing(to, page);
                for section in &page.sections {
                    self::section(to, section, page.sections.len());
                }
            });
            to.element("footer", &[], |to| {
                to.words(
                    "p",
                    "Made by argo-attest audit. There is no script in this page, and it loads nothing.",
                );
            });
        });
    });
    to.line();
    to.finish()
}

fn head(to: &mut Markup, page: &Page) {
    to.single("meta", &[("charset", Value::Own("utf-8"))]);
    to.single(
        "meta",
        &[("http-equiv", Value::Own("Content-Security-Policy")), ("content", Value::Own(NOTHING_ELSE))],
    );
    to.single("meta", &[("name", Value::Own("referrer")), ("content", Value::Own("no-referrer"))]);
    to.single(
        "meta",
        &[("name", Value::Own("viewport")), ("content", Value::Own("width=device-width, initial-scale=1"))],
    );
    to.single("meta", &[("name", Value::Own("color-scheme")), ("content", Value::Own("light dark"))]);
    to.element("title", &[], |to| {
        to.say(verdict(&page.totals).0);
        let mut runs = page.sections.iter().filter_map(|section| section.run.as_ref());
        if let (Some(run), None) = (runs.next(), runs.next()) {
            to.say(": ");
            to.text(&run.name);
        }
        to.say(" \u{2013} argo-attest audit");
    });
    to.style(include_str!("page.css"));
}

fn verdict(totals: &Totals) -> (&'static str, &'static str) {
    match (totals.all(), totals.of(Standing::Missing), totals.of(Standing::Unknown)) {
        (0, ..) => ("Nothing was found", "open"),
        (_, 0, 0) => ("Nothing is missing", "good"),
        (_, 0, _) => ("Something could not be found out", "open"),
        _ => ("Something is not attested", "bad"),
    }
}

fn banner(to: &mut Markup, page: &Page) {
    let (told, class) = verdict(&page.totals);
    to.element("p", &[("class", Value::Own("who"))], |to| to.say("argo-attest audit"));
    to.element("h1", &[("class", Value::Own(class))], |to| to.say(told));
}

/// The counts, for each verdict, with what they are made of.
fn tiles(to: &mut Markup, totals: &Totals) {
    let all =
        [Standing::Missing, Standing::Unknown, Standing::LetPass, Standing::Attested, Standing::Accounted];
    to.element("ul", &[("class", Value::Own("tiles"))], |to| {
        for standing in all {
            let count = totals.of(standing);
            if count == 0 && matches!(standing, Standing::Unknown | Standing::LetPass) {
                continue;
            }
            let (word, class) = words(standing);
            let class = if count == 0 { "none" } else { class };
            to.element("li", &[("class", Value::Own(class))], |to| {
                to.element("strong", &[], |to| to.number(count));
                to.say(" ");
                to.words("span", word);
                let of: Vec<_> =
                    totals.each().filter(|(of, reason, _)| *of == standing && reason.is_some()).collect();
                if !of.is_empty() {
                    to.element("small", &[], |to| {
                        for (at, (_, reason, count)) in of.into_iter().enumerate() {
                            to.say(if at > 0 { ", " } else { "" });
                            to.number(count);
                            to.say(" ");
                            to.say(reason.map(Reason::code).unwrap_or_default());
                        }
                    });
                }
            });
        }
        to.element("li", &[], |to| {
            to.element("strong", &[], |to| to.number(totals.all()));
            to.say(" ");
            to.words("span", "in all");
        });
    });
}

/// What the totals are not about.
fn narrowed(to: &mut Markup, audited: &Audited) {
    if audited.narrowing.is_none() {
        return;
    }
    to.element("div", &[("class", Value::Own("note"))], |to| {
        to.words("p", "This audit was narrowed. Nobody asked about the rest:");
        to.element("ul", &[], |to| {
            for told in audited.narrowing.told() {
                to.element("li", &[], |to| to.name(&told));
            }
        });
    });
}

/// What was audited, against what, when, by which program.
fn audit(to: &mut Markup, page: &Page, audited: &Audited) {
    to.element("dl", &[("class", Value::Own("audited"))], |to| {
        let runs = page.sections.iter().filter_map(|section| section.run.as_ref());
        for run in runs {
            to.words("dt", "Workflow");
            to.element("dd", &[], |to| {
                to.name(&run.name);
                to.say(" \u{b7} ");
                to.name(&run.phase);
                to.say(" \u{b7} uid ");
                to.name(&run.uid);
            });
        }
        for (term, told) in [("Place", &audited.places), ("Trusting", &audited.trusting)] {
            for one in told {
                to.words("dt", term);
                to.element("dd", &[], |to| to.name(one));
            }
        }
        to.words("dt", "Audited");
        to.element("dd", &[], |to| {
            to.text(&audited.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            to.say(", by ");
            to.text(&audited.by);
        });
    });
    if page.sections.iter().any(|section| section.run.is_some()) {
        to.element("p", &[("class", Value::Own("note"))], |to| {
            to.say(
                "Nobody signs a workflow\u{2019}s text: a step that it leaves out was not asked about. \
                 What is said to be attested does not rest on it.",
            );
        });
    }
}

/// What is missing or unknown, each with a way to all that is known of it.
fn missing(to: &mut Markup, page: &Page) {
    let troubles =
        || page.sections.iter().flat_map(Section::all).filter(|(_, fact)| is_trouble(fact.standing));
    let count = page.totals.of(Standing::Missing) + page.totals.of(Standing::Unknown);
    if count == 0 {
        return;
    }
    to.element("section", &[], |to| {
        to.words("h2", "What is not attested");
        to.element(
            "div",
            &[
                ("class", Value::Own("wide")),
                ("role", Value::Own("region")),
                ("aria-label", Value::Own("What is not attested")),
                ("tabindex", Value::Own("0")),
            ],
            |to| {
                to.element("table", &[], |to| {
                    to.element("thead", &[], |to| {
                        to.element("tr", &[], |to| {
                            for name in ["Verdict", "What", "Step", "Why"] {
                                to.element("th", &[("scope", Value::Own("col"))], |to| to.say(name));
                            }
                        });
                    });
                    to.element("tbody", &[], |to| {
                        for (of, fact) in troubles().take(NAMED) {
                            to.element("tr", &[], |to| {
                                to.element("td", &[], |to| badge(to, fact.standing, fact.reason));
                                to.element("td", &[], |to| {
                                    to.element("a", &[("href", Value::To(fact.anchor))], |to| {
                                        list::named(to, fact);
                                    });
                                });
                                to.element("td", &[], |to| {
                                    to.name(of.map_or("\u{2013}", super::facts::StepFacts::name));
                                });
                                to.element("td", &[], |to| {
                                    to.name(fact.message.as_deref().unwrap_or_default());
                                });
                            });
                            to.line();
                        }
                    });
                });
            },
        );
        if count > NAMED {
            to.element("p", &[("class", Value::Own("warn"))], |to| {
                to.say("These are the first ");
                to.number(NAMED);
                to.say(" of ");
                to.number(count);
                to.say(": the others are below.");
            });
        }
    });
    to.line();
}

fn section(to: &mut Markup, section: &Section, of: usize) {
    to.element("section", &[], |to| {
        match &section.run {
            Some(run) if of > 1 => to.element("h2", &[], |to| {
                to.say("Workflow ");
                to.name(&run.name);
            }),
            Some(_) => to.words("h2", "The workflow"),
            None => to.words("h2", "The places"),
        }
        if section.run.is_some() {
            picture(to, &Graph::new(&section.steps, &section.takings));
        }
        list::list(to, section);
    });
    to.line();
}
