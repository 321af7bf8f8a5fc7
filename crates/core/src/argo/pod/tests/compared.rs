//! Honest pods are what their templates say; and each difference is told.

use std::io::{BufRead as _, BufReader};

use super::*;
use crate::argo::Kind;

#[test]
fn what_argo_makes_of_a_template_is_no_difference() {
    for template in [BUILD, SCRIPT, SET, RESOURCE] {
        for mut made in [made(template, &[]), honest()] {
            made.compare().unwrap().unwrap();
            let text = made.template();
            made.live().compare(&Step::parse(&text).unwrap(), &text).unwrap();
            // What others add is let be: a service mesh, our own containers.
            let added = json!({"name": "istio-proxy", "image": "proxy", "args": ["proxy"]});
            made.pod["spec"]["containers"].as_array_mut().unwrap().push(added.clone());
            made.pod["spec"]["initContainers"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "argo-attest", "image": "us"}));
            made.compare().unwrap().unwrap();
        }
    }
}

/// Of all of Argo's examples, as the controllers of two versions wrote them.
#[test]
fn of_argos_examples_too() {
    let recordings: [&[u8]; 2] = [
        include_bytes!("../../../../../../tests/fixtures/argo/workflows-3.7.18.jsonl.gz"),
        include_bytes!("../../../../../../tests/fixtures/argo/workflows-4.0.7.jsonl.gz"),
    ];
    let mut compared = 0;
    for packed in recordings {
        for line in BufReader::new(flate2::read::GzDecoder::new(packed)).lines() {
            let run: Value = serde_json::from_str(&line.unwrap()).unwrap();
            for pod in run["pods"].as_array().unwrap() {
                let made = made(pod["text"].as_str().unwrap(), &[]);
                let text = made.template();
                let step = Step::parse(&text).unwrap();
                made.live().compare(&step, &text).unwrap_or_else(|error| panic!("{}: {error}", run["from"]));
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn of_a_pod_without_init_containers_too() {
    let mut made = honest();
    let wrapped = made.pod["spec"]["containers"].as_array_mut().unwrap();
    for container in wrapped.iter_mut().filter(|c| c["name"] != "wait") {
        container["command"][0] = json!("/argo-bin/bin/argoexec");
    }
    made.pod["spec"]["initContainers"].as_array_mut().unwrap().remove(0);
    let env = json!([{"name": "ARGO_TEMPLATE", "value": made.text}]);
    *made.container("containers", "wait") = json!({"name": "supervisor", "image": "argoexec", "env": env});
    let mounts = made.container("containers", "main")["volumeMounts"].as_array_mut().unwrap();
    mounts.retain(|mount| mount["name"] != "input-artifacts");
    mounts.push(json!({"name": "input-artifacts", "mountPath": "/argo/inputs/artifacts"}));
    mounts.push(json!({"name": "argoexec-bin", "mountPath": "/argo-bin", "readOnly": true}));
    let text = made.template();
    made.live().compare(&Step::parse(&text).unwrap(), &text).unwrap();
}

#[test]
fn another_image_command_or_argument_is_told_with_its_container() {
    type Change = fn(&mut Value);
    let changes: [(&str, &str, Change, &str); 10] = [
        ("containers", "main", |c| c["image"] = json!("evil"), "the image of the container main"),
        ("containers", "main", |c| c["command"][9] = json!("bash"), "the command of the container main"),
        ("containers", "main", |c| c["args"][1] = json!("c0ffee "), "the args of the container main"),
        ("containers", "main", |c| c["args"] = json!(["make"]), "the args of the container main"),
        (
            "containers",
            "main",
            |c| c["args"].as_array_mut().unwrap().push(json!("")),
            "the args of the container main",
        ),
        ("containers", "db", |c| c["image"] = json!("evil"), "the image of the container db"),
        ("containers", "db", |c| c["args"][1] = json!("x=2"), "the args of the container db"),
        ("initContainers", "prepare", |c| c["image"] = json!("evil"), "the image of the container prepare"),
        (
            "initContainers",
            "prepare",
            |c| c["command"] = json!(["false"]),
            "the command of the container prepare",
        ),
        ("initContainers", "prepare", |c| c["args"] = json!(["x"]), "the args of the container prepare"),
    ];
    for (list, name, change, told) in changes {
        let mut made = honest();
        change(made.container(list, name));
        let difference = made.difference();
        assert!(difference.starts_with(told), "{difference}");
    }
    let mut made = honest();
    made.container("containers", "main")["image"] = json!("evil\u{1b}[2J");
    assert!(made.difference().contains("(evil%1B[2J, and registry.example.com/build:1)"));
}

#[test]
fn a_container_more_or_less_is_told() {
    for (list, name) in [("containers", "main"), ("containers", "db"), ("initContainers", "prepare")] {
        let mut made = honest();
        made.pod["spec"][list].as_array_mut().unwrap().retain(|container| container["name"] != name);
        assert!(made.difference().contains(&format!("a container {name}, and the pod has none")), "{name}");

        let mut made = honest();
        let again = made.container(list, name).clone();
        made.pod["spec"]["containers"].as_array_mut().unwrap().push(again);
        assert!(made.difference().starts_with("the pod has two containers with the name"), "{name}");
    }
    // In the other list it is another container.
    let mut made = honest();
    let init = made.pod["spec"]["initContainers"].as_array_mut().unwrap().remove(1);
    made.pod["spec"]["containers"].as_array_mut().unwrap().push(init);
    assert!(made.difference().contains("a container prepare, and the pod has none"));
    // What Argo runs, and the text conceals.
    let mut made = honest();
    let mut concealed = made.container("containers", "db").clone();
    concealed["name"] = json!("concealed");
    made.pod["spec"]["containers"].as_array_mut().unwrap().push(concealed);
    assert!(made.difference().starts_with("the pod runs a container concealed"));
    let mut made = honest();
    made.text = made.text.replace(r#""name":"db""#, r#""name":"main""#);
    assert!(made.difference().starts_with("the template's text has two containers with the name main"));
}

#[test]
fn what_argo_does_not_start_is_not_the_templates() {
    for command in [
        json!([]),
        json!(["sh", "-c"]),
        json!(["/tmp/argoexec", "emissary", "--", "sh", "-c"]),
        json!(["/var/run/argo/argoexec", "other", "--", "sh", "-c"]),
        json!(["/var/run/argo/argoexec", "emissary", "sh", "-c"]),
    ] {
        let mut made = honest();
        made.container("containers", "main")["command"] = command;
        assert!(made.difference().contains("main of the pod is not started as Argo starts it"));
    }
}

#[test]
fn a_mount_elsewhere_or_of_something_else_is_told() {
    type Change = fn(&mut Value);
    let changes: [Change; 5] = [
        |mount| mount["name"] = json!("other"),
        |mount| mount["mountPath"] = json!("/dat"),
        |mount| mount["subPath"] = json!("t"),
        |mount| mount["subPathExpr"] = json!("$(X)"),
        |mount| *mount = json!({"name": "x", "mountPath": "/x"}),
    ];
    for change in changes {
        let mut made = honest();
        change(&mut made.container("containers", "main")["volumeMounts"][0]);
        assert!(
            made.difference().contains("main mounts /data by the template's text, and not so in the pod")
        );
    }
    let mut made = honest();
    made.container("initContainers", "prepare")["volumeMounts"] = json!([]);
    assert!(made.difference().contains("prepare mounts /work"));
}

/// A mount that the text conceals makes an output's files others than the text says.
#[test]
fn a_concealed_mount_where_an_artifact_is_is_told() {
    for path in ["/tmp", "/tmp/log", "/tmp/log/inner", "/data/app", "/", "/src/x", "/tmp/x/../log"] {
        let mut made = honest();
        let mounts = made.container("containers", "main")["volumeMounts"].as_array_mut().unwrap();
        mounts.push(json!({"name": "concealed", "mountPath": path}));
        assert!(made.difference().contains("and no mount"), "{path}: {}", made.difference());
    }
    for path in ["/var/run/secrets/eks.amazonaws.com", "/etc/podinfo", "/data2", "/tmpx"] {
        let mut made = honest();
        let mounts = made.container("containers", "main")["volumeMounts"].as_array_mut().unwrap();
        mounts.push(json!({"name": "injected", "mountPath": path}));
        made.compare().unwrap().unwrap();
    }
}

#[test]
fn input_artifacts_are_those_that_main_mounts() {
    let other = |from: &str, to: &str| {
        let mut made = honest();
        made.text = made.text.replace(from, to);
        made.difference()
    };
    let src = r#"{"name":"src","path":"/src","s3":{"key":"sources/a.tgz"}},"#;
    assert!(other(src, "").starts_with("the pod mounts an input artifact at /src, and"));
    assert!(
        other(r#""path":"/src""#, r#""path":"/srd""#).starts_with("the pod mounts an input artifact at /src")
    );
    assert!(
        other(r#""name":"src""#, r#""name":"scr""#).starts_with("the pod mounts an input artifact at /src")
    );
    let more = format!(r#"{src}{{"name":"more","path":"/more","s3":{{"key":"k"}}}},"#);
    assert!(other(src, &more).starts_with("the template's text has the input artifact more at /more"));
}

#[test]
fn an_annotation_that_the_pod_has_not_is_told() {
    let mut made = honest();
    made.pod["metadata"]["annotations"]["argo-attest.io/attest"] = json!("false");
    assert!(made.difference().starts_with("the template's text has the annotation argo-attest.io/attest"));
    made.pod["metadata"]["annotations"] = json!({});
    assert!(made.difference().starts_with("the template's text has the annotation argo-attest.io/attest"));
}

#[test]
fn a_kind_that_has_no_such_pod_is_told() {
    let mut made = honest();
    made.text = RESOURCE.to_owned();
    assert!(made.difference().contains("and the pod is not one that Argo makes of such a template"));
    // The reader takes none of a kind that never has a pod.
    made.text = STEPS.to_owned();
    assert!(made.compare().is_none_or(|compared| compared.is_err()));
    let mut made = super::made(RESOURCE, &[]);
    made.text = RESOURCE.replace("resource", "data");
    if let Some(compared) = made.compare() {
        compared.unwrap_err();
    }
}

#[test]
fn argos_own_containers_have_the_same_text() {
    let compare = |made: &Made, source: Source| {
        let text = TemplateText::new(source, made.text.clone().into_bytes()).unwrap();
        made.live().compare(&Step::parse(&text).unwrap(), &text)
    };
    let made = honest();
    compare(&made, Source::Env).unwrap();
    let mut other = honest();
    // What the pod's spec does not tell: where an output goes.
    other.text = other.text.replace("releases/1.0", "releases/evil");
    other.live().spec.compare(&Step::parse(&other.template()).unwrap(), &other.template()).unwrap();
    assert!(matches!(compare(&other, Source::Env), Err(PodDifference::Template)));
    let mut offloaded = honest();
    offloaded.pod["spec"]["initContainers"][0]["env"][0]["value"] = json!("offloaded");
    compare(&offloaded, Source::Offloaded).unwrap();
    compare(&offloaded, Source::TemplateFile).unwrap();
    assert!(matches!(compare(&offloaded, Source::Env), Err(PodDifference::Template)));
    let mut none = honest();
    none.pod["spec"]["initContainers"][0]["env"] = json!([{"name": "OTHER", "value": "x"}]);
    assert!(matches!(compare(&none, Source::Env), Err(PodDifference::NoTemplate)));
    // A container of the template's that has Argo's variable is not Argo's.
    let env = json!([{"name": "ARGO_TEMPLATE", "value": none.text}]);
    none.container("initContainers", "prepare")["env"] = env;
    assert!(matches!(compare(&none, Source::Env), Err(PodDifference::NoTemplate)));
}

#[test]
fn arguments_in_a_file_cannot_be_compared() {
    let long = "x".repeat(140_000);
    let mut made = made(BUILD, &[("commit", &long)]);
    made.compare().unwrap().unwrap();
    made.container("containers", "main").as_object_mut().unwrap().remove("args");
    assert!(
        matches!(made.compare().unwrap(), Err(PodDifference::Offloaded { container }) if container == "main")
    );
    let mut made = honest();
    made.container("containers", "main").as_object_mut().unwrap().remove("args");
    assert!(made.difference().starts_with("the args of the container main"));
}

#[test]
fn a_command_that_is_left_to_the_image_is_the_pods() {
    let made = made(SET, &[]);
    let mut step = Step::parse(&made.template()).unwrap();
    assert_eq!(step.kind, Kind::ContainerSet);
    made.live().spec.complete(&mut step);
    assert_eq!(step.containers[0].command, ["a"]);
    assert_eq!(step.containers[0].args, Vec::<String>::new());
    assert_eq!(step.containers[1].command, ["/entry-of-the-image"]);
    assert_eq!(step.containers[1].args, ["cmd-of-the-image"]);
}

#[test]
fn an_image_that_is_left_to_the_controller_is_the_pods() {
    let mut made = honest();
    made.text = made.text.replace(r#""image":"registry.example.com/build:1","#, "");
    made.compare().unwrap().unwrap();
    let mut step = Step::parse(&made.template()).unwrap();
    made.live().spec.complete(&mut step);
    assert_eq!(step.containers[0].image, "registry.example.com/build:1");
}

#[test]
fn who_and_whose_the_pod_is() {
    let live = honest().live();
    assert_eq!((live.uid.as_str(), live.node_id.as_deref()), ("u1", Some("wf-1")));
    assert_eq!(live.owner, Some(Owner { name: "wf".into(), uid: "w1".into() }));
    assert_eq!(live.spec.annotations.len(), 1, "others are not kept");
    assert!(!format!("{live:?}").contains("hunter2 "), "no variable but the template is kept");
    for answer in ["", "{}", "[]", r#"{"kind":"Status"}"#, r#"{"metadata":{"uid":"u"},"spec":{}}"#, "\u{0}"] {
        LivePod::from_json(answer.as_bytes()).unwrap_err();
    }
    LivePod::from_json(b"\xff").unwrap_err();
}
