//! Inputs where the gate does not see what main sees: main never starts, whatever lies here
//! at their path, and whether or not they may be absent.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::consumer::{Consumer, Input, policy};
use crate::namespace::Mount;
use crate::output::Output;
use crate::s3::S3;
use crate::upstream::Upstream;

/// Where main has the input's volume, and what the gate's container has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The same.
    Mirrored,
    /// Nothing is mounted, and a directory of our own file system is there.
    OwnRoot,
    /// Not even a directory.
    Nowhere,
    /// The same volume, under another path.
    Elsewhere,
    /// Another volume within it, above or at the input's path.
    Covered,
    /// Main has another volume within the input, and we have not.
    NotNested,
    /// Variables of main's say what of the volume main mounts.
    Chosen,
}

const PLACES: [Place; 7] = [
    Place::Mirrored,
    Place::OwnRoot,
    Place::Nowhere,
    Place::Elsewhere,
    Place::Covered,
    Place::NotNested,
    Place::Chosen,
];

fn set(mut consumer: Consumer, place: Place, input: &Input) -> Consumer {
    let path = consumer.path(input);
    let mount = if input.on_volume { consumer.at("work") } else { path.clone() };
    match place {
        Place::Mirrored => consumer,
        Place::OwnRoot => consumer.not_mirrored(),
        Place::Nowhere => {
            let _ = std::fs::remove_dir_all(&mount).or_else(|_| std::fs::remove_file(&mount));
            consumer.not_mirrored()
        }
        Place::Elsewhere if !mount.exists() => consumer.not_mirrored(),
        Place::Elsewhere => {
            let other = consumer.at("other");
            let made = if mount.is_dir() { std::fs::create_dir(&other) } else { std::fs::write(&other, "") };
            made.unwrap();
            consumer.not_mirrored().mounts(Mount::Bind { from: mount, at: other })
        }
        Place::Covered => {
            let at = if path.exists() { path } else { path.parent().unwrap().to_owned() };
            std::fs::create_dir_all(&at).ok();
            let other = consumer.at("other");
            let made = if at.is_dir() { std::fs::create_dir(&other) } else { std::fs::write(&other, "x") };
            made.unwrap();
            consumer.mounts(Mount::Bind { from: other, at })
        }
        Place::NotNested => {
            let mounts = consumer.template["container"]["volumeMounts"].as_array_mut().unwrap();
            mounts.push(json!({"name": "more", "mountPath": path.join("more")}));
            consumer
        }
        Place::Chosen => {
            consumer.template["container"]["volumeMounts"][0]["subPathExpr"] = json!("$(HOSTNAME)");
            consumer
        }
    }
}

/// Every place, for inputs of every kind, there and not there. It opens only where main's
/// volume is seen: and then only for what is attested, or absent and may be.
#[test]
fn an_input_is_seen_where_main_sees_it_or_refused() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    for place in PLACES {
        for (on_volume, optional, present) in (0..8).map(|bits| (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0))
        {
            if place == Place::Covered && !on_volume {
                // Kubernetes takes no container with two mounts at one place.
                continue;
            }
            let case = format!("{place:?}, on a volume {on_volume}, optional {optional}, present {present}");
            let input = Input::new(&if present { upstream.key() } else { "wf/none".into() });
            let input = if on_volume { input } else { input.own_mount() };
            let input = if optional { input.optional() } else { input };
            let consumer = Consumer::new(&s3, &upstream).policy(&policy("", "missing: warn\n"));
            let consumer =
                if present || optional { consumer.stages(&s3, &input) } else { consumer.takes(&input) };
            let ended = set(consumer, place, &input).gate();
            // The volume's own mount says nothing of an input that has another.
            let seen = place == Place::Mirrored || (!on_volume && place == Place::Chosen);
            let opens = seen && (present || optional);
            assert_eq!(ended.code == Some(0), opens, "{case}: {ended:#?}");
            if !seen && (present || optional) {
                assert_eq!(ended.code, Some(65), "{case}: {ended:#?}");
                let told = ["mounted in", "is chosen by"].iter().any(|why| ended.message.contains(why));
                assert!(told, "{case}: {}", ended.message);
            }
        }
    }
}

/// Main has shared memory there, or another place that each container has for itself, and so
/// has the gate: what lies there is not the same (cases of /dev/shm, /run, /etc).
#[test]
fn places_that_each_container_has_for_itself() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    for path in [
        "/dev/shm/app",
        "/dev/shm",
        "/proc/app",
        "/sys/app",
        "/etc/hosts",
        "/var/run/secrets/x",
        "/dev/../dev//shm/app",
    ] {
        for (optional, supplied) in [(true, true), (true, false), (false, true)] {
            let mut artifact = json!({"name": "app", "path": path});
            if optional {
                artifact["optional"] = json!(true);
            }
            if supplied {
                artifact["s3"] = json!({"key": upstream.key()});
            }
            for volume in [true, false] {
                let mut consumer = Consumer::new(&s3, &upstream).declares(artifact.clone());
                if volume {
                    let mounts = consumer.template["container"]["volumeMounts"].as_array_mut().unwrap();
                    let parent = PathBuf::from("/").join(path.trim_start_matches("/dev/.."));
                    mounts.push(json!({"name": "shm", "mountPath": parent.parent().unwrap()}));
                }
                let ended = consumer.gate();
                assert_eq!(ended.code, Some(65), "{path}: {ended:#?}");
                assert!(
                    ended.message.contains("cannot be seen from this container"),
                    "{path}: {}",
                    ended.message
                );
            }
        }
    }
}

/// What is the gate's own is nobody's input, even where it is mounted.
#[test]
fn a_path_in_the_gates_own_container() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    for (name, why) in [
        ("policy/ci.pub", "files of its own at"),
        ("secrets/s3-cred/secretkey", "files of its own at"),
        ("evidence/x", "files of its own at"),
        ("policy", "files of its own at"),
        ("", "files of its own at"),
    ] {
        for optional in [true, false] {
            let consumer = Consumer::new(&s3, &upstream);
            let path = consumer.at(name);
            std::fs::write(consumer.at("evidence/x"), "x").unwrap();
            let mut artifact = json!({"name": "app", "path": path, "s3": {"key": upstream.key()}});
            artifact["optional"] = json!(optional);
            let consumer = consumer.declares(artifact).mounts(Mount::volume(&path));
            let ended = consumer.gate();
            assert_eq!(ended.code, Some(65), "{name}: {ended:#?}");
            assert!(ended.message.contains(why), "{name}: {}", ended.message);
        }
    }
}

/// Nothing was supplied, so nothing may be there: on the volume, on another input's mount, or
/// in Argo's own directory.
#[test]
fn an_optional_input_that_nobody_supplied() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let unsupplied = |path: &PathBuf| json!({"name": "app", "path": path, "optional": true});
    for planted in [None, Some("file"), Some("directory"), Some("empty"), Some("link")] {
        let consumer = Consumer::new(&s3, &upstream).policy(&policy("", "missing: warn\n"));
        let path = consumer.at("work/in/app");
        std::fs::create_dir_all(consumer.at("work/in")).unwrap();
        match planted {
            Some("file") => std::fs::write(&path, "planted").unwrap(),
            Some("directory") => {
                std::fs::create_dir(&path).unwrap();
                std::fs::write(path.join("x"), "planted").unwrap();
            }
            Some("empty") => std::fs::create_dir(&path).unwrap(),
            Some(_) => std::os::unix::fs::symlink("/nowhere", &path).unwrap(),
            None => {}
        }
        let consumer = consumer.declares(unsupplied(&path));
        if planted.is_none() {
            assert_eq!(consumer.opens().message, "inputs not there, and optional: \"app\"");
            // Not mirrored, nothing can be said of it.
            assert_eq!(consumer.not_mirrored().gate().code, Some(65));
        } else {
            let help = "(help: let nothing else write to the volume before main, or supply the input)";
            consumer.refuses(&format!(
                "nothing was supplied for it, and something lies at {} {help}",
                path.display()
            ));
        }
    }
}

/// By its text, main has nothing there and nothing was supplied. But there is a mount, and all
/// of ours are main's: the text is not what Argo made the pod of.
#[test]
fn a_mount_that_the_text_does_not_know() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let input = Input::new(&upstream.key()).own_mount();
    let mut consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
    consumer.opens();
    std::fs::remove_file(consumer.at("evidence/inputs.json")).unwrap();
    let path = consumer.path(&input);
    consumer.template["inputs"]["artifacts"] = json!([{"name": "app", "path": path, "optional": true}]);
    consumer.ends_with(
        65,
        &format!(
            "input \"app\" is not accepted: {} is mounted in this container and not in main (help: mount nothing \
             into this container at or beneath main's paths but main's own volumes)",
            path.display()
        ),
    );
}

/// The kubelet's own name of what is mounted, as on a real node.
#[test]
fn what_the_kubelet_calls_a_volume_counts() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let input = Input::new(&upstream.key()).own_mount();
    let kubelet = |consumer: &Consumer, volume: &str| {
        let at = consumer.at(&format!("pods/0b4f/volumes/kubernetes.io~empty-dir/{volume}"));
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::copy(consumer.path(&input), &at).unwrap();
        Mount::Bind { from: at, at: consumer.path(&input) }
    };
    for (volume, opens) in [
        ("input-artifacts/app", true),
        ("input-artifacts/other", false),
        ("other/app", false),
        ("app", false),
    ] {
        let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input).not_mirrored();
        let mount = kubelet(&consumer, volume);
        let consumer = consumer.mounts(mount);
        if opens {
            consumer.opens();
        } else {
            let ended = consumer.gate();
            assert_eq!(ended.code, Some(65), "{volume}: {ended:#?}");
            assert!(ended.message.contains("another volume, or another part of it"), "{}", ended.message);
        }
    }
    // An input that is staged, and that the text no longer has.
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input).not_mirrored();
    let mount = kubelet(&consumer, "input-artifacts/app");
    let mut consumer = consumer.mounts(mount);
    let path = consumer.path(&input);
    for inputs in [json!([]), json!([{"name": "app", "path": consumer.at("work/x"), "s3": {"key": "k"}}])] {
        consumer.template["inputs"]["artifacts"] = inputs;
        consumer.ends_with(
            65,
            &format!(
                "the inputs could not be checked: an input is staged at {} that the step's template does not have \
                 (help: look for a parameter whose value rewrites the template)",
                path.display()
            ),
        );
    }
}

/// Spellings of one path.
#[test]
fn paths_in_other_spellings() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let input = Input::new(&upstream.key());
    let doubled = ["", "work", "in", "app", ""].join("/");
    for spelling in ["work/in/app", "work//in/app", "work/./in/app", &doubled] {
        let mut consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
        let path = format!("{}/{spelling}", consumer.at("").display());
        consumer.template["inputs"]["artifacts"][0]["path"] = Value::from(path);
        consumer.opens();
        assert_eq!(consumer.not_mirrored().gate().code, Some(65), "{spelling}");
    }
}
