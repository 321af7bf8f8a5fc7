//! Everything that Argo can do with an output, done well: attested, and accepted
//! by a consumer.

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::slsa::Provenance;

use crate::output::{ALL, Output, Packing, Place, Shape};
use crate::pod::{Pod, entry};
use crate::s3::S3;

/// All packings in one step; each kind of server once, so that both ways of
/// comparing bytes are gone.
fn attested(s3: &S3, plain: bool) {
    let outputs: Vec<_> =
        ALL.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind)).collect();
    let mut pod = Pod::new(s3.address(), outputs);
    if plain {
        pod = pod.plain();
    }
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    if plain {
        sidecar.terminate();
        sidecar.reaches("finishing");
    }
    pod.upload(s3);
    if !plain {
        sidecar.terminate();
    }
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["step"]), (Some(0), &"succeeded".into()), "{message}\n{}", sidecar.logged());
    assert_eq!((&message["attested"], &message["notAttested"]), (&ALL.len().into(), &0.into()), "{message}");

    let outcome = pod.outcome(s3);
    for output in &pod.outputs {
        let told = entry(&outcome["predicate"]["outputs"], &output.name);
        assert_eq!(told["verdict"], "attested", "{output:?}: {told}");
        pod.assert_accepted(output);
        assert_members(s3, &pod, output);
        let statement = pod.signed(&s3.get(&format!("{}.sigstore.json", output.key())).unwrap());
        let form = &statement["predicate"]["buildDefinition"]["internalParameters"];
        assert!(form.to_string().contains(if plain { "\"sidecar\"" } else { "\"native\"" }), "{form}");
    }
}

/// What the next step has on disk is accepted too.
fn assert_members(s3: &S3, pod: &Pod, output: &Output) {
    let bundle = pod.at("downloaded.sigstore.json");
    std::fs::write(&bundle, s3.get(&format!("{}.sigstore.json", output.key())).unwrap()).unwrap();
    let input = pod.at("input");
    let (place, directory) = (input.join("data"), output.shape == Shape::Directory);
    for (name, content) in &output.files {
        let file = if directory { place.join(name) } else { place.clone() };
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    let verify = || {
        let mut command = crate::process::binary();
        command.arg("verify").arg("--key").arg(pod.public_key()).arg("--bundle").arg(&bundle);
        command.arg(&place).output().unwrap()
    };
    let ran = verify();
    assert_eq!(ran.status.code(), Some(0), "{output:?}: {ran:?}");
    let last = if directory { place.join(output.last()) } else { place.clone() };
    std::fs::write(last, "something else").unwrap();
    let ran = verify();
    assert_eq!(ran.status.code(), Some(1), "{output:?}: {ran:?}");
    std::fs::remove_dir_all(input).unwrap();
}

#[test]
fn native_on_a_server_that_computes_nothing() {
    attested(&S3::new(), false);
}

#[test]
fn plain_on_a_server_that_computes_nothing() {
    attested(&S3::new(), true);
}

#[test]
fn native_on_a_server_with_checksums() {
    let Some(s3) = S3::versitygw() else { return };
    attested(&s3, false);
}

#[test]
fn plain_on_a_server_with_checksums() {
    let Some(s3) = S3::versitygw() else { return };
    attested(&s3, true);
}

/// What an empty directory is stored as is attested; where Argo stores nothing of it, that is
/// no reason to fail the step.
fn empty_directories(plain: bool) {
    let s3 = S3::new();
    let packings = [Packing::Tar, Packing::Zip, Packing::None];
    let places = packings.into_iter().flat_map(|packing| [Place::Base, Place::Volume].map(|p| (p, packing)));
    let outputs: Vec<_> =
        places.enumerate().map(|(n, (p, a))| Output::empty(&format!("o{n}"), p, a)).collect();
    let mut pod = Pod::new(s3.address(), outputs);
    if plain {
        pod = pod.plain();
    }
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(
        (code, &message["attested"], &message["absent"], &message["notAttested"]),
        (Some(0), &4.into(), &2.into(), &0.into()),
        "{message}\n{}",
        sidecar.logged()
    );
    let outcome = pod.outcome(&s3);
    assert_eq!(outcome["predicate"]["complete"], true, "{outcome}");
    for output in &pod.outputs {
        let told = entry(&outcome["predicate"]["outputs"], &output.name);
        if output.packing == Packing::None {
            assert_eq!(told["verdict"], "absent");
            let why = "Argo stores such an output as one object a file, and there is no file in it";
            assert_eq!(told["reason"], why);
            continue;
        }
        pod.assert_accepted(output);
        assert_eq!(told["digest"], format!("dirHash:{}", Sha256Digest::of(b"")), "{told}");
    }
}

#[test]
fn an_empty_directory_is_attested_as_that() {
    empty_directories(false);
}

#[test]
fn an_empty_directory_of_which_nothing_is_stored_does_not_fail_the_plain_form() {
    empty_directories(true);
}

const LINKS: &[(&str, &str)] =
    &[("latest", "one"), ("sub/up", "../one"), ("gone", "not/there"), ("dir", "sub")];

/// A tar has links as what they are. What Argo leaves out is named, and fails nothing.
fn links(plain: bool) {
    let s3 = S3::new();
    let packings = [Packing::Tar, Packing::None];
    let kinds = packings.into_iter().flat_map(|packing| [Place::Base, Place::Volume].map(|p| (p, packing)));
    let output = |(n, (place, packing)): (usize, (Place, Packing))| {
        Output::new(&format!("o{n}"), (place, packing, Shape::Directory)).linked(LINKS)
    };
    let mut outputs: Vec<_> = kinds.enumerate().map(output).collect();
    // Not stored, wherever it leads.
    outputs[3].links.push(("away".into(), "/etc/passwd".into()));
    let mut pod = Pod::new(s3.address(), outputs);
    if plain {
        pod = pod.plain();
    }
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    let told = (code, &message["attested"], &message["notAttested"]);
    assert_eq!(told, (Some(0), &4.into(), &0.into()), "{message}\n{}", sidecar.logged());
    let outcome = pod.outcome(&s3);
    assert_eq!(outcome["predicate"]["complete"], true, "{outcome}");
    for output in &pod.outputs {
        pod.assert_accepted(output);
        let statement = pod.signed(&s3.get(&format!("{}.sigstore.json", output.key())).unwrap());
        let provenance = Provenance::from_predicate(&statement["predicate"].to_string()).unwrap();
        let listed = provenance.links().unwrap();
        let told = entry(&outcome["predicate"]["outputs"], &output.name);
        if output.packing == Packing::None {
            assert!(listed.is_empty());
            assert_eq!(told["notStoredCount"], output.links.len(), "{told}");
            assert!(told["notStored"].to_string().contains("\"sub/up\""), "{told}");
            continue;
        }
        let listed: Vec<_> = listed.iter().map(|(at, to)| (at.to_string(), to.escaped())).collect();
        let mut expected = output.links.clone();
        expected.sort();
        assert_eq!(listed, expected);
        assert!(told.get("notStored").is_none() && told.get("refused").is_none(), "{told}");
    }
}

#[test]
fn links_within_an_output_are_part_of_it() {
    links(false);
}

#[test]
fn links_do_not_fail_the_plain_form() {
    links(true);
}

/// A zip cannot have a link, and main wrote one; and a link may lead out of what is attested.
#[test]
fn links_that_are_no_part_of_what_is_stored_are_refused_by_name() {
    let s3 = S3::new();
    let leaving = [("in", "one"), ("out", "../x"), ("chain", "out"), ("self", "self"), ("null", "/dev/null")];
    let outputs = vec![
        Output::new("z", (Place::Volume, Packing::Zip, Shape::Directory)).linked(&[("in", "one")]),
        Output::new("b", (Place::Base, Packing::Tar, Shape::Directory)).linked(&leaving),
        Output::new("v", (Place::Volume, Packing::Tar, Shape::Directory)).linked(&leaving),
    ];
    let pod = Pod::new(s3.address(), outputs).plain();
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(1), &3.into()), "{message}\n{}", sidecar.logged());
    let outcome = pod.outcome(&s3);
    let refused = |name: &str| {
        let told = entry(&outcome["predicate"]["outputs"], name);
        let refused = told["refused"].as_array().unwrap().iter();
        let mut refused: Vec<_> = refused
            .map(|r| format!("{}: {}", r["name"].as_str().unwrap(), r["reason"].as_str().unwrap()))
            .collect();
        refused.sort();
        refused
    };
    let zip = "in: a symbolic link, in whose place a zip as Argo makes it has an empty file";
    assert_eq!(refused("z"), [zip]);
    for name in ["b", "v"] {
        let leaves = "a symbolic link that leads out of the output";
        let expected = [
            format!("chain: {leaves}"),
            format!("null: {leaves}"),
            format!("out: {leaves}"),
            "self: a symbolic link that leads in a circle, or through too many others".to_owned(),
        ];
        assert_eq!(refused(name), expected);
    }
}

/// What is stored is another link than the one that was on the volume.
#[test]
fn a_link_that_leads_elsewhere_in_the_stored_tar() {
    let s3 = S3::new();
    let output = Output::new("v", (Place::Volume, Packing::Tar, Shape::Directory)).linked(LINKS);
    let pod = Pod::new(s3.address(), vec![output.clone()]);
    for (at, to) in [("latest", "sub/two"), ("latest", "/etc/passwd"), ("more", "one")] {
        let mut sidecar = pod.start_ready();
        pod.write();
        pod.end(0);
        let mut stored = output.clone();
        stored.links.retain(|(name, _)| name != at);
        stored.links.push((at.into(), to.into()));
        pod.upload_one(&s3, &stored);
        sidecar.terminate();
        let (_, message) = sidecar.ends();
        let artifact = &message["artifacts"][0];
        assert_eq!(artifact["verdict"], "refused", "{message}");
        let reason = artifact["reason"].as_str().unwrap();
        assert!(reason.contains(at) && !reason.contains("passwd"), "{reason}");
        std::fs::remove_dir_all(pod.argo()).unwrap();
        std::fs::create_dir(pod.argo()).unwrap();
    }
}

#[test]
fn an_optional_output_may_be_absent_and_another_may_not() {
    let s3 = S3::new();
    let outputs = vec![Output::plain("there"), Output::plain("maybe").optional(), Output::plain("must")];
    let mut pod = Pod::new(s3.address(), outputs);
    let written = pod.outputs.remove(0);
    let mut sidecar = pod.start_ready();
    pod.write_one(&written);
    pod.end(0);
    pod.upload_one(&s3, &written);
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    let verdict = |name| entry(&message["artifacts"], name)["verdict"].clone();
    assert_eq!(code, Some(0));
    assert_eq!(
        (verdict("there"), verdict("maybe"), verdict("must")),
        ("attested".into(), "absent".into(), "refused".into())
    );
    assert_eq!(pod.outcome(&s3)["predicate"]["complete"], false);
}

/// Kubernetes mounts it beneath `/`, whatever directory the container works in.
#[test]
fn a_volume_that_is_mounted_by_a_relative_path() {
    let s3 = S3::new();
    let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    for pointer in ["/container/volumeMounts/0/mountPath", "/outputs/artifacts/0/path"] {
        let path = pod.template.pointer_mut(pointer).unwrap();
        *path = path.as_str().unwrap().trim_start_matches('/').into();
    }
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
    pod.assert_accepted(&pod.outputs[0]);
}
