//! Workflows that nobody wrote.

use argo_attest_core::inject::{Mode, Obstacle, Refusal, Settings};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

use super::oracle::{names, read, spec, templates};
use super::written::{Manner, Node, text, written};
use super::{injected, schema, settings};

fn map(entries: Vec<(&'static str, Node)>) -> Node {
    Node::Map(entries)
}

// Boxed here and below: a tree of all of them by value does not fit a test's stack.
fn words() -> BoxedStrategy<Node> {
    prop_oneof![
        Just(text("alpine")),
        Just(text("{{inputs.parameters.image}}")),
        Just(text("a: b # no comment")),
        Just(text("tab\there")),
        Just(text("it's \"quoted\" – ü")),
        Just(text("echo 1\necho '- {{item}}'\n")),
        Just(text("echo 1\n\n  echo 2")),
        Just(text("")),
    ]
    .boxed()
}

fn container(named: bool) -> BoxedStrategy<Node> {
    (words(), vec(words(), 0..3), option::of("[a-z]{1,5}"), option::of(0..3_u8))
        .prop_map(move |(image, args, mount, user)| {
            let mut entries = vec![("image", image), ("args", Node::Seq(args))];
            if named {
                entries.insert(0, ("name", text("helper")));
            }
            if let Some(mount) = mount {
                let path = text(&format!("/{mount}/data"));
                let mount = map(vec![("name", text("work")), ("mountPath", path)]);
                entries.push(("volumeMounts", Node::Seq(vec![mount])));
            }
            if user == Some(0) {
                entries.push(("securityContext", map(vec![("runAsUser", Node::Bare("1000"))])));
            }
            map(entries)
        })
        .boxed()
}

fn list(of: BoxedStrategy<Node>) -> BoxedStrategy<Option<Node>> {
    prop_oneof![
        4 => Just(None),
        2 => vec(of, 1..3).prop_map(|items| Some(Node::Seq(items))),
        1 => Just(Some(Node::Nothing)),
    ]
    .boxed()
}

fn annotation() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("true")), Just(Some("true")), Just(Some("false")), Just(Some("{{x}}"))]
}

fn step() -> BoxedStrategy<Vec<(&'static str, Node)>> {
    let kind = prop_oneof![
        4 => container(false).prop_map(|it| ("container", it)),
        1 => container(false).prop_map(|it| ("script", it)),
        1 => container(false).prop_map(|it| {
            let Node::Map(mut entries) = it else { unreachable!() };
            entries.insert(0, ("name", text("main")));
            ("containerSet", map(vec![("containers", Node::Seq(vec![map(entries)]))]))
        }),
        1 => Just(("suspend", map(vec![]))),
    ];
    let inputs = option::of(vec(words(), 0..2));
    let lists = (list(container(true)), list(container(true)), list(volume()));
    (kind, annotation(), annotation(), inputs, lists, any::<u64>())
        .prop_map(|(kind, attest, verify, inputs, (init, sidecars, volumes), order)| {
            let mut entries = vec![kind];
            let annotations: Vec<_> =
                [("argo-attest.io/attest", attest), ("argo-attest.io/verify-inputs", verify)]
                    .into_iter()
                    .filter_map(|(key, value)| Some((key, text(value?))))
                    .collect();
            entries.push(("metadata", map(vec![("annotations", map(annotations))])));
            if let Some(inputs) = inputs {
                let artifact = |(at, from): (usize, Node)| {
                    map(vec![("name", text(&format!("in{at}"))), ("path", text("/in")), ("from", from)])
                };
                let artifacts = inputs.into_iter().enumerate().map(artifact).collect();
                entries.push(("inputs", map(vec![("artifacts", Node::Seq(artifacts))])));
            }
            let lists = [("initContainers", init), ("sidecars", sidecars), ("volumes", volumes)];
            entries.extend(lists.into_iter().filter_map(|(key, list)| Some((key, list?))));
            shuffle(&mut entries, order);
            entries
        })
        .boxed()
}

fn volume() -> BoxedStrategy<Node> {
    "[a-z]{1,6}".prop_map(|name| map(vec![("name", text(&name)), ("emptyDir", map(vec![]))])).boxed()
}

fn shuffle<T>(items: &mut [T], mut order: u64) {
    for at in (1..items.len()).rev() {
        let other = usize::try_from(order % (at as u64 + 1)).unwrap();
        items.swap(at, other);
        order /= 7;
    }
}

fn template() -> impl Strategy<Value = Node> {
    let inline = (step(), any::<bool>()).prop_map(|(step, dag)| {
        let call = map(vec![("name", text("call")), ("inline", map(step))]);
        if dag {
            vec![("dag", map(vec![("tasks", Node::Seq(vec![call]))]))]
        } else {
            vec![("steps", Node::Seq(vec![Node::Seq(vec![call])]))]
        }
    });
    (prop_oneof![3 => step(), 1 => inline], 0..6_usize).prop_map(|(mut entries, at)| {
        entries.insert(at.min(entries.len()), ("name", text("template")));
        map(entries)
    })
}

fn workflow() -> impl Strategy<Value = Node> {
    let kinds = prop_oneof![
        Just("Workflow"),
        Just("WorkflowTemplate"),
        Just("ClusterWorkflowTemplate"),
        Just("CronWorkflow")
    ];
    let defaults = option::weighted(0.2, container(false));
    (kinds, vec(template(), 1..5), list(volume()), defaults, any::<bool>(), any::<u64>()).prop_map(
        |(kind, templates, volumes, defaults, user, order)| {
            let mut spec = vec![("templates", Node::Seq(templates)), ("entrypoint", text("template"))];
            spec.extend(volumes.map(|volumes| ("volumes", volumes)));
            spec.extend(defaults.map(|container| ("templateDefaults", map(vec![("container", container)]))));
            if user {
                spec.push(("securityContext", map(vec![("runAsUser", Node::Bare("1000"))])));
            }
            shuffle(&mut spec, order);
            let spec = match kind {
                "CronWorkflow" => {
                    map(vec![("schedules", Node::Seq(vec![text("@daily")])), ("workflowSpec", map(spec))])
                }
                _ => map(spec),
            };
            map(vec![
                ("apiVersion", text("argoproj.io/v1alpha1")),
                ("kind", text(kind)),
                ("metadata", map(vec![("name", text("generated"))])),
                ("spec", spec),
            ])
        },
    )
}

fn manner() -> impl Strategy<Value = Manner> {
    let flags =
        (any::<bool>(), any::<bool>(), any::<bool>(), 0..6_u8, prop_oneof![Just(0), Just(2), Just(4)]);
    (flags, vec(any::<u8>(), 1..64)).prop_map(|((crlf, bom, final_newline, json, offset), dice)| Manner {
        crlf,
        bom,
        final_newline,
        json: json == 0,
        offset,
        dice,
    })
}

/// What a template asks for: sidecar, and gate.
fn asked(template: &Value, all: bool) -> (bool, bool) {
    let runs = ["container", "script", "containerSet"].iter().any(|kind| !template[kind].is_null());
    let says = |name: &str| template["metadata"]["annotations"][name].as_str();
    let yes = |value: &str| value == "true" || value.contains("{{");
    let attest = all || says("argo-attest.io/attest").is_some_and(yes);
    let inputs = template["inputs"]["artifacts"].as_array().is_some_and(|list| !list.is_empty());
    let verify = says("argo-attest.io/verify-inputs").map_or(attest, yes);
    (runs && attest, runs && verify && inputs)
}

fn check(before: &Value, after: &Value, settings: &Settings, context: &str) {
    let native = settings.mode == Mode::Native;
    let beside = if native { "initContainers" } else { "sidecars" };
    let expect = |before: &Value, after: &Value, (sidecar, gate): (bool, bool), front: bool| {
        let mut init = names(before, "initContainers");
        let mut sidecars = names(before, "sidecars");
        let list = if native { &mut init } else { &mut sidecars };
        // In JSON ours come first; before a list's end is not a place between lines there.
        let at = if front { 0 } else { list.len() };
        if sidecar {
            list.insert(at, "argo-attest");
        }
        if gate {
            init.insert(0, "argo-attest-gate");
        }
        assert_eq!(names(after, "initContainers"), init, "{context}");
        assert_eq!(names(after, "sidecars"), sidecars, "{context}");
    };
    let (old, new) = (templates(before), templates(after));
    assert_eq!(old.len(), new.len());
    let mut any = (false, false);
    for (before, after) in old.iter().zip(&new) {
        let asked = asked(before, settings.all);
        any = (any.0 | asked.0, any.1 | asked.1);
        let first = names(after, beside).iter().position(|name| *name == "argo-attest") <= Some(1);
        let front = first && names(after, beside).last() != Some(&"argo-attest");
        expect(before, after, if settings.all { (false, false) } else { asked }, front);
    }
    if settings.all {
        expect(&spec(before)["templateDefaults"], &spec(after)["templateDefaults"], any, false);
    }
    let declared = |value: &Value| names(value, "volumes").contains(&"argo-attest-key");
    let somewhere = declared(spec(after)) || new.iter().any(|template| declared(template));
    assert_eq!(somewhere, any.0, "the key's volume{context}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_asked_for_is_added_and_nothing_else(
        workflow in workflow(),
        manner in manner(),
        all in any::<bool>(),
        native in any::<bool>(),
        grace in option::of(5..100_u32),
    ) {
        let before = written(&workflow, &manner);
        let mode = if native { Mode::Native } else { Mode::Sidecar };
        let pull_secrets = grace.map(|_| "regcred".parse().unwrap()).into_iter().collect();
        let settings = Settings { all, mode, grace_period: grace, pull_secrets, ..settings() };
        let context = format!("\n{before}\nwith {settings:?}");
        match injected(&before, &settings) {
            Ok(done) => {
                let (old, new) = (read(&before), read(&done.text));
                check(&old[0], &new[0], &settings, &context);
                schema::check(&old[0], &new[0]);
            }
            // Who runs under two users at once can have no one container for all.
            Err(Refusal::Template { why: Obstacle::Users, .. }) if all => {}
            // `null` in any way to write it is no list, nor is there room after a block scalar
            // that the file ends in.
            Err(Refusal::Layout { line, .. }) => {
                let line = before.lines().nth(line - 1).unwrap();
                let nothing = ["null", "~"].iter().any(|sign| line.contains(sign));
                let unended = !manner.final_newline && before.contains('|');
                assert!(nothing || unended, "{line}{context}");
            }
            Err(refusal) => panic!("{refusal}\n{before}"),
        }
    }
}
