//! Everything that Argo can do with an output, taken as an input.

use std::os::unix::fs::PermissionsExt as _;

use crate::consumer::{Consumer, Input};
use crate::init::Archive;
use crate::output::{ALL, Output, Packing, Place, Shape};
use crate::s3::S3;
use crate::upstream::Upstream;

/// How the input is said to be packed where Argo passes an output on.
fn archive(output: &Output) -> Archive {
    match output.packing {
        Packing::Tar => Archive::Unsaid,
        Packing::None => Archive::None,
        Packing::Zip => Archive::Zip,
    }
}

fn all(s3: &S3) -> Upstream {
    let outputs = ALL.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind)).collect();
    Upstream::new(s3, outputs)
}

#[test]
fn every_form_is_accepted_as_argo_stages_it() {
    let s3 = S3::new();
    let upstream = all(&s3);
    let mut consumer = Consumer::new(&s3, &upstream);
    let taken = || upstream.pod.outputs.iter().filter(|o| !is_zipped_file(o));
    for (n, output) in taken().enumerate() {
        let input = Input::new(&output.key()).named(&output.name).archive(archive(output));
        consumer = consumer.stages(&s3, &if n % 2 == 0 { input } else { input.own_mount() });
    }
    let ended = consumer.opens();
    assert!(ended.message.starts_with("inputs accepted: \"o0\", \"o1\""), "{}", ended.message);
    let evidence = consumer.evidence().unwrap();
    assert_eq!(evidence["inputs"].as_array().unwrap().len(), taken().count());
}

/// Argo unpacks it to a path beneath the input's that only the zip itself names.
fn is_zipped_file(output: &Output) -> bool {
    (output.packing, output.shape) == (Packing::Zip, Shape::File)
}

#[test]
fn a_zip_of_one_file_cannot_be_compared() {
    let s3 = S3::new();
    let upstream = all(&s3);
    let output = upstream.pod.outputs.iter().find(|o| is_zipped_file(o)).unwrap();
    let input = Input::new(&output.key()).archive(Archive::Zip);
    Consumer::new(&s3, &upstream).stages(&s3, &input).refuses(
        "Argo unpacks a zip of one file to a path that no attestation names: what is staged cannot be compared \
         (archive: {none: {}} on the input keeps it as it is)",
    );
}

/// What Argo unpacks of an empty directory is one, and nothing else is.
#[test]
fn an_empty_directory() {
    let s3 = S3::new();
    let outputs = [Packing::Tar, Packing::Zip].map(|packing| {
        let name = format!("{packing:?}").to_lowercase();
        Output::empty(&name, Place::Volume, packing)
    });
    let upstream = Upstream::new(&s3, outputs.to_vec());
    for output in &upstream.pod.outputs {
        for own_mount in [false, true] {
            let input = Input::new(&output.key()).archive(archive(output));
            let input = if own_mount { input.own_mount() } else { input };
            let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
            let at = consumer.path(&input);
            assert!(at.is_dir() && at.read_dir().unwrap().next().is_none());
            consumer.opens();
            std::fs::write(at.join("x"), "").unwrap();
            consumer.refuses("x was added");
            std::fs::remove_file(at.join("x")).unwrap();
            // As the kubelet leaves it where Argo staged nothing.
            std::fs::set_permissions(&at, std::fs::Permissions::from_mode(0o777)).unwrap();
            assert_eq!(consumer.gate().code, Some(i32::from(own_mount)), "{output:?}");
        }
        let archived = Input::new(&output.key()).archive(Archive::None);
        Consumer::new(&s3, &upstream).stages(&s3, &archived).opens();
    }
    // Another directory's attestation is not that of nothing.
    let full = Upstream::new(&s3, vec![Output::new("full", (Place::Volume, Packing::Tar, Shape::Directory))]);
    let input = Input::new(&full.key()).archive(Archive::Unsaid);
    let consumer = Consumer::new(&s3, &full).stages(&s3, &input);
    std::fs::remove_dir_all(consumer.path(&input)).unwrap();
    std::fs::create_dir(consumer.path(&input)).unwrap();
    assert!(consumer.gate().message.contains("one is missing"), "{:?}", consumer.gate());
}

/// The very links that are attested, whether Argo packed them on main's volume or in main.
#[test]
fn links_are_compared_where_they_are_staged() {
    let s3 = S3::new();
    let all = [("latest", "one"), ("sub/up", "../one"), ("gone", "not/there")];
    let output = |name, place| Output::new(name, (place, Packing::Tar, Shape::Directory)).linked(&all);
    let upstream = Upstream::new(&s3, vec![output("v", Place::Volume), output("b", Place::Base)]);
    for (n, output) in upstream.pod.outputs.iter().enumerate() {
        let input = Input::new(&output.key()).archive(Archive::Unsaid);
        let input = if n == 0 { input } else { input.own_mount() };
        let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
        let at = consumer.path(&input);
        assert_eq!(at.join("sub/up").read_link().unwrap(), std::path::Path::new("../one"));
        consumer.opens();
        let link = |name: &str, target: &str| {
            let _ = std::fs::remove_file(at.join(name));
            std::os::unix::fs::symlink(target, at.join(name)).unwrap();
        };
        link("latest", "sub/two");
        consumer.refuses("the symbolic link latest leads elsewhere");
        std::fs::remove_file(at.join("latest")).unwrap();
        consumer.refuses("the symbolic link latest is missing");
        std::fs::copy(at.join("one"), at.join("latest")).unwrap();
        consumer.refuses("latest was added");
        link("latest", "one");
        link("new", "one");
        consumer.refuses("the symbolic link new was added");
        link("new", "../../../etc/passwd");
        let ended = consumer.gate();
        assert!(ended.code == Some(1) && ended.message.contains("leads out of the output"), "{ended:#?}");
        std::fs::remove_file(at.join("new")).unwrap();
        consumer.opens();
    }
}

/// What Argo never stores of an output is not there for the next step, either.
#[test]
fn links_of_an_output_that_is_stored_file_by_file() {
    let s3 = S3::new();
    let output = Output::new("n", (Place::Volume, Packing::None, Shape::Directory));
    let upstream = Upstream::new(&s3, vec![output.linked(&[("latest", "one")])]);
    let input = Input::new(&upstream.key());
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
    consumer.opens();
    std::os::unix::fs::symlink("one", consumer.path(&input).join("latest")).unwrap();
    consumer.refuses("the symbolic link latest was added");
}

/// A packed output whose consumer wants the archive itself.
#[test]
fn an_archive_kept_as_it_is() {
    let s3 = S3::new();
    let upstream = all(&s3);
    for output in &upstream.pod.outputs {
        if output.packing == Packing::None {
            continue;
        }
        let consumer = Consumer::new(&s3, &upstream);
        consumer.stages(&s3, &Input::new(&output.key()).archive(Archive::None)).opens();
    }
}

/// Each form with one byte changed in what was staged.
#[test]
fn a_changed_byte_is_noticed_in_every_form() {
    let s3 = S3::new();
    let upstream = all(&s3);
    for output in &upstream.pod.outputs {
        let input = Input::new(&output.key()).archive(archive(output));
        let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
        let mut at = consumer.path(&input);
        while at.is_dir() {
            at = std::fs::read_dir(&at).unwrap().next().unwrap().unwrap().path();
        }
        let mut bytes = std::fs::read(&at).unwrap();
        bytes[7] ^= 1;
        std::fs::write(&at, bytes).unwrap();
        let ended = consumer.gate();
        assert_eq!(ended.code, Some(1), "{output:?}: {ended:#?}");
    }
}

/// A file of a directory that is stored as one object a file.
#[test]
fn a_file_of_an_attested_directory() {
    let s3 = S3::new();
    let upstream = all(&s3);
    let directory = upstream
        .pod
        .outputs
        .iter()
        .find(|o| o.packing == Packing::None && o.objects(&upstream.pod.work()).len() > 1);
    let key = format!("{}/sub/two", directory.unwrap().key());
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&key));
    consumer.opens();
    let other = format!("{}/one", directory.unwrap().key());
    s3.put(&key, &s3.get(&other).unwrap());
    let ended = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&key)).gate();
    assert_eq!(ended.code, Some(1), "two files that changed places: {ended:#?}");
}
