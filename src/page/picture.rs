//! The picture: SVG in the page, which is read by eye, by ear and by keyboard.

use argo_attest_core::audit::Standing;
use argo_attest_core::text::brief;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::facts::words;
use super::graph::{Graph, Kind};
use super::groups::{Drawn, Group};
use super::markup::{Line, Markup, Value};
use super::places::{HEIGHT, Places, WIDTH};

/// Columns of a name that fit.
const NAME: usize = 25;
/// Bytes of a name that are read out.
const SPOKEN: usize = 300;

impl Kind {
    /// For people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Artifact => "artifact",
            Self::Input => "input",
            Self::Image => "image",
            Self::Source => "source",
        }
    }
}

/// Writes the picture of a workflow, and what is to be known of it; nothing of one thing alone.
pub(super) fn picture(to: &mut Markup, graph: &Graph) {
    if graph.links.is_empty() {
        return;
    }
    let drawn = Drawn::of(graph);
    let places = Places::of(drawn.things.len(), &drawn.links);
    to.element("h3", &[], |to| to.say("What went into what"));
    key(to);
    about(to, &drawn);
    let frame = [
        ("class", Value::Own("picture")),
        ("role", Value::Own("region")),
        ("aria-label", Value::Own("Picture of the workflow")),
        ("tabindex", Value::Own("0")),
    ];
    to.element("div", &frame, |to| svg(to, &drawn, &places));
    to.line();
}

fn svg(to: &mut Markup, drawn: &Drawn, places: &Places) {
    let size = format!("0 0 {} {}", places.width, places.height);
    let attributes = [
        ("viewBox", Value::Text(&size)),
        ("width", Value::Number(places.width)),
        ("height", Value::Number(places.height)),
        ("role", Value::Own("group")),
        ("aria-label", Value::Own("Steps, artifacts, images and sources; each leads to what is known of it")),
    ];
    to.element("svg", &attributes, |to| {
        arrow(to);
        for (link, points) in &places.lines {
            let Some((first, rest)) = points.split_first() else { continue };
            let mut line = Line::at(*first);
            let mut last = *first;
            for point in rest {
                line.to(last, *point);
                last = *point;
            }
            let class = if link.is_signed { "line" } else { "line unsigned" };
            to.element(
                "path",
                &[
                    ("class", Value::Own(class)),
                    ("d", Value::Path(&line)),
                    ("marker-end", Value::Own("url(#arrow)")),
                ],
                |_| (),
            );
        }
        for (group, corner) in drawn.things.iter().zip(&places.corners) {
            thing(to, group, *corner);
        }
    });
}

fn arrow(to: &mut Markup) {
    let attributes = [
        ("id", Value::Own("arrow")),
        ("viewBox", Value::Own("0 0 8 8")),
        ("refX", Value::Own("7")),
        ("refY", Value::Own("4")),
        ("markerWidth", Value::Own("8")),
        ("markerHeight", Value::Own("8")),
        ("orient", Value::Own("auto-start-reverse")),
    ];
    to.element("defs", &[], |to| {
        to.element("marker", &attributes, |to| {
            to.element("path", &[("d", Value::Own("M0 0L8 4L0 8z")), ("class", Value::Own("head"))], |_| ());
        });
    });
}

/// What is said of it, and the name of its colour.
fn verdict(kind: Kind, standing: Option<Standing>) -> (&'static str, &'static str) {
    match (standing, kind) {
        (Some(standing), _) => words(standing),
        (None, _) => ("recorded", "even"),
    }
}

fn thing(to: &mut Markup, group: &Group, (x, y): (usize, usize)) {
    let first = &group.first;
    let (word, class) = verdict(first.kind, group.standing());
    let name = called(group);
    let reason = first.reason.map(|reason| format!(", {reason}")).unwrap_or_default();
    let many = if group.count > 1 { format!("{} of: ", group.count) } else { String::new() };
    let spoken = format!("{many}{} {}: {word}{reason}", first.kind.word(), brief(&first.name, SPOKEN));
    let draw = |to: &mut Markup| {
        to.element("title", &[], |to| to.text(&spoken));
        if group.count > 1 {
            for shift in [6, 3] {
                boxed(to, first.kind, (x + shift, y + shift), "back");
            }
        }
        boxed(to, first.kind, (x, y), "face");
        to.element(
            "rect",
            &[
                ("class", Value::Own("stripe")),
                ("x", Value::Number(x)),
                ("y", Value::Number(y)),
                ("width", Value::Number(6)),
                ("height", Value::Number(HEIGHT)),
            ],
            |_| (),
        );
        let at =
            |x, y, class| [("class", Value::Own(class)), ("x", Value::Number(x)), ("y", Value::Number(y))];
        to.element("text", &at(x + 14, y + 16, "kind"), |to| {
            to.say(first.kind.word());
            if group.count > 1 {
                to.say(" \u{d7} ");
                to.number(group.count);
            }
        });
        to.element("text", &at(x + WIDTH - 8, y + 16, "word"), |to| to.say(word));
        to.element("text", &at(x + 14, y + 34, "name"), |to| to.text(&fitting(&name)));
    };
    match first.more {
        // Its title is what it is called.
        Some(more) => to.element("a", &[("href", Value::To(more)), ("class", Value::Own(class))], draw),
        // Nothing more is known of it; it is read out all the same.
        None => to.element(
            "g",
            &[
                ("class", Value::Own(class)),
                ("tabindex", Value::Own("0")),
                ("role", Value::Own("img")),
                ("aria-label", Value::Text(&spoken)),
            ],
            draw,
        ),
    }
}

fn boxed(to: &mut Markup, kind: Kind, (x, y): (usize, usize), class: &'static str) {
    let corner = if kind == Kind::Step { 10 } else { 2 };
    to.element(
        "rect",
        &[
            ("class", Value::Own(class)),
            ("x", Value::Number(x)),
            ("y", Value::Number(y)),
            ("width", Value::Number(WIDTH)),
            ("height", Value::Number(HEIGHT)),
            ("rx", Value::Number(corner)),
        ],
        |_| (),
    );
}

/// What it is called in the picture: a step's own part of its name, an address without its scheme.
fn called(group: &Group) -> String {
    let first = &group.first;
    match first.kind {
        Kind::Step | Kind::Artifact if group.count > 1 && !first.of.is_empty() => first.of.clone(),
        Kind::Step => first.name.split_once('.').map_or(first.name.as_str(), |(_, own)| own).to_owned(),
        _ => {
            let schemes = ["s3://", "oci://", "git+https://", "git+", "argo://"];
            let short = schemes.iter().find_map(|scheme| first.name.strip_prefix(scheme));
            short.unwrap_or(&first.name).to_owned()
        }
    }
}

/// Its end, where it is too long: names differ there.
fn fitting(name: &str) -> String {
    let shown = brief(name, 4 * SPOKEN);
    if shown.width() <= NAME {
        return shown;
    }
    let mut left = NAME - 1;
    let mut kept: Vec<char> = Vec::new();
    for c in shown.chars().rev() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        kept.push(c);
    }
    std::iter::once('\u{2026}').chain(kept.into_iter().rev()).collect()
}

/// What the picture leaves out.
fn about(to: &mut Markup, drawn: &Drawn) {
    let gathered = drawn.gathered();
    if gathered > 0 {
        to.element("p", &[], |to| {
            to.number(gathered);
            to.say(
                " things are drawn as stacks: what a fan-out made alike, with the same verdict. \
                 Each leads to the first of them; all are in the list.",
            );
        });
    }
    if drawn.left_out > 0 {
        to.element("p", &[("class", Value::Own("warn"))], |to| {
            to.number(drawn.left_out);
            to.say(" things are not drawn: there are too many. What is not attested is drawn first; all are in the list.");
        });
    }
}

/// What the lines and the words mean.
fn key(to: &mut Markup) {
    to.element("p", &[("class", Value::Own("key"))], |to| {
        to.say(
            "Arrows lead from what went in to what came of it: solid where a verified statement says so, \
             dashed where only the workflow\u{2019}s text does. \u{201c}Recorded\u{201d} is what a signed statement names and \
             nobody attests, such as an image or a source. Logs and outputs that are absent by right are not drawn.",
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_where_they_are_alike() {
        assert_eq!(fitting("short"), "short");
        let long = format!("{}/app.tgz", "x".repeat(100));
        assert!(fitting(&long).starts_with('\u{2026}') && fitting(&long).ends_with("/app.tgz"));
        assert_eq!(fitting(&long).width(), NAME);
        assert!(fitting(&"\u{65e5}".repeat(100)).width() <= NAME);
    }
}
