use std::collections::BTreeMap;
use std::fmt::Write as _;

use argo_attest_core::argo::{Source, Step, TemplateText, encode};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const KUBELET: &str = "/var/lib/kubelet/pods/0b4f";

fn mount(volume: &str, path: &str, sub_path: &str) -> Mount {
    Mount {
        volume: volume.into(),
        path: path.into(),
        sub_path: sub_path.into(),
        sub_path_expr: String::new(),
    }
}

/// The kernel's list with our own image at `/`, and empty directories mounted in the order of
/// their depth, as runtimes do.
fn here(mounts: &[Mount]) -> MountTable {
    let mut mounts: Vec<_> = mounts.iter().map(|m| (from_root(&m.path).unwrap(), m)).collect();
    mounts.sort_by_key(|(at, _)| at.components().count());
    let mut text = "1 0 0:1 / / ro - overlay overlay ro\n".to_owned();
    let mut known = vec![(RelPath::root(), 1)];
    for (id, (at, mount)) in (2..).zip(&mounts) {
        let parent = known.iter().rev().find(|(above, _)| at.starts_with(above)).unwrap().1;
        let Mount { volume, sub_path, .. } = mount;
        let root = format!("{KUBELET}/volumes/kubernetes.io~empty-dir/{volume}/{sub_path}");
        let root = root.trim_end_matches('/');
        writeln!(text, "{id} {parent} 0:2 {root} /{at} rw - ext4 /dev/vda rw").unwrap();
        known.push((at.clone(), id));
    }
    MountTable::parse(text.as_bytes()).unwrap()
}

fn step(template: &serde_json::Value) -> Step {
    let text = encode(template).unwrap().into_bytes();
    Step::parse(&TemplateText::new(Source::Env, text).unwrap()).unwrap()
}

/// A main with these mounts, and an input with a mount of its own at `/in/app`.
fn mains(mounts: &[Mount]) -> MainMounts {
    let mounts: Vec<_> = mounts
        .iter()
        .map(|m| {
            let mut mount = json!({"name": m.volume, "mountPath": m.path});
            if !m.sub_path.is_empty() {
                mount["subPath"] = json!(m.sub_path);
            }
            if !m.sub_path_expr.is_empty() {
                mount["subPathExpr"] = json!(m.sub_path_expr);
            }
            mount
        })
        .collect();
    let container = json!({"image": "i", "volumeMounts": mounts});
    let inputs = json!([
        {"name": "app", "path": "/in/app", "s3": {"key": "k"}},
        {"name": "gone", "path": "/gone/app", "optional": true},
    ]);
    let template = json!({"name": "use", "inputs": {"artifacts": inputs}, "container": container});
    MainMounts::of_template(&step(&template))
}

/// Argo's own mounts of main, which are mirrored, too.
fn argos() -> Vec<Mount> {
    vec![mount("var-run-argo", "/var/run/argo", ""), mount("input-artifacts", "/in/app", "app")]
}

fn mirror(main: &[Mount], ours: &[Mount]) -> Mirror {
    Mirror::new(here(&[&argos(), ours].concat()), mains(main), &["/etc/argo-attest", "/own"])
}

#[test]
fn what_is_mirrored_is_seen() {
    let data = [mount("work", "/data", "")];
    let mirror = mirror(&data, &data);
    for path in ["/data", "/data/x", "data/x", "/data//y/./z/../x", "/in/app", "/in/app/x", "/var/run/argo/x"]
    {
        assert_eq!(mirror.look(path), Ok(Seen::Volume), "{path}");
    }
    for path in ["/gone/app", "/database", "/in/app2", "/in2"] {
        assert_eq!(mirror.look(path), Ok(Seen::Image), "{path}");
    }
    assert!(mirror.is_mounted("/var/run/argo") && !mirror.is_mounted("/var/run") && !mirror.is_mounted("/"));
}

#[test]
fn what_is_not_mirrored_is_not() {
    let main = [mount("work", "/data", "")];
    let not = |ours: &[Mount], path: &str| mirror(&main, ours).look(path).unwrap_err();
    let missing = Unseen::NotMounted { mount: "/data".into() };
    assert_eq!(not(&[], "/data/x"), missing);
    // The volume under another path, and one above.
    assert_eq!(not(&[mount("work", "/data2", "")], "/data/x"), missing);
    assert_eq!(not(&[mount("work", "/", "data")], "/data/x"), missing);
    let other = Unseen::OtherVolume { mount: "/data".into() };
    assert_eq!(not(&[mount("shadow", "/data", "")], "/data/x"), other);
    assert_eq!(not(&[mount("work", "/data", "sub")], "/data/x"), other);
    let more = [mount("work", "/data", ""), mount("more", "/data/x/y", "")];
    assert_eq!(not(&more, "/data/x"), Unseen::Covered { mount: "/data/x/y".into() });
    assert_eq!(not(&more, "/data/x/y/z"), Unseen::Covered { mount: "/data/x/y".into() });
    assert_eq!(mirror(&main, &more).look("/data/z"), Ok(Seen::Volume));
    // The other way round.
    assert_eq!(mirror(&more, &main).look("/data/x"), Err(Unseen::NotMounted { mount: "/data/x/y".into() }));
    assert_eq!(mirror(&more, &more).look("/data/x"), Ok(Seen::Volume));
}

/// What kubelet and runtime mount into each container, and our own places, count as nobody's,
/// above, at and beneath.
#[test]
fn places_that_each_container_has_for_itself() {
    for path in [
        "/dev",
        "/dev/shm",
        "/dev/shm/app",
        "/proc/self/environ",
        "/sys",
        "/etc",
        "/etc/hosts",
        "/var/run/secrets/x",
        "/var/run",
        "/run",
        "/var",
        "/run/secrets/kubernetes.io",
        "/dev/../dev/./shm//app",
    ] {
        let mounts = [mount("shm", path, "")];
        let error = mirror(&mounts, &mounts).look(path).unwrap_err();
        assert!(matches!(error, Unseen::EachContainersOwn { .. }), "{path}: {error}");
    }
    for path in ["/etc/argo-attest", "/etc/argo-attest/key/attest.key", "/own", "/own/x"] {
        let mounts = [mount("x", path, "")];
        let error = mirror(&mounts, &mounts).look(path).unwrap_err();
        assert!(matches!(error, Unseen::OwnFiles { .. }), "{path}: {error}");
    }
    assert_eq!(
        mirror(&[], &[]).look("/"),
        Err(Unseen::EachContainersOwn { path: "/".into(), place: "/dev".into() })
    );
}

#[test]
fn sub_paths_that_variables_choose() {
    let with = |expression: &str| {
        let main = [Mount { sub_path_expr: expression.into(), ..mount("work", "/data", "") }];
        mirror(&main, &[mount("work", "/data", "wf-1")]).look("/data/x")
    };
    for expression in ["$(ARGO_NODE_ID)", "a/$(ARGO_NODE_ID)/b", "plain"] {
        assert_eq!(with(expression), Ok(Seen::Volume), "{expression}");
    }
    for expression in ["$(HOSTNAME)", "$(ARGO_NODE_ID)/$(X)", "$$(ARGO_NODE_ID)", "$(ARGO_CONTAINER_NAME)"] {
        assert_eq!(with(expression), Err(Unseen::Chosen { mount: "/data".into() }), "{expression}");
    }
}

#[test]
fn two_mounts_at_one_place() {
    let two = [mount("work", "/data", ""), mount("other", "/data/", "")];
    let error = mirror(&two, &two[..1]).look("/data/x").unwrap_err();
    assert_eq!(error, Unseen::Ambiguous { mount: "/data".into() });
    let nested = [mount("work", "/data", ""), mount("a", "/data/x/y", ""), mount("b", "/data/x//y", "")];
    let error = mirror(&nested, &nested[..2]).look("/data/x").unwrap_err();
    assert_eq!(error, Unseen::Ambiguous { mount: "/data/x/y".into() });
}

/// The containers of a set share some mounts and have some of their own.
#[test]
fn what_another_container_of_the_set_mounts() {
    let set = |own: &serde_json::Value| {
        let step = step(&json!({
            "name": "use",
            "inputs": {"artifacts": [{"name": "app", "path": "/data/app", "s3": {"key": "k"}}]},
            "containerSet": {
                "containers": [{"name": "main", "image": "i"}, {"name": "other", "image": "i", "volumeMounts": own}],
                "volumeMounts": [{"name": "work", "mountPath": "/data"}],
            },
        }));
        let here = here(&[mount("work", "/data", ""), mount("var-run-argo", "/var/run/argo", "")]);
        Mirror::new(here, MainMounts::of_template(&step), &[]).look("/data/app")
    };
    assert_eq!(set(&json!([])), Ok(Seen::Volume));
    assert_eq!(set(&json!([{"name": "x", "mountPath": "/elsewhere"}])), Ok(Seen::Volume));
    assert_eq!(
        set(&json!([{"name": "x", "mountPath": "/data/app/cache"}])),
        Err(Unseen::NotMounted { mount: "/data/app/cache".into() })
    );
}

#[test]
fn says_it_in_printable_words() {
    let hostile = [mount("work", "/da\u{1b}[2Jta", "")];
    let error = mirror(&hostile, &[]).look("/da\u{1b}[2Jta/x").unwrap_err();
    assert_eq!(error.to_string(), "/da%1B[2Jta is not mounted in this container");
}

/// Which volume, and what in it, a path leads to.
fn leads(mounts: &[Mount], path: &RelPath) -> Option<(String, String)> {
    let above =
        mounts.iter().map(|m| (from_root(&m.path).unwrap(), m)).filter(|(at, _)| path.starts_with(at));
    let (at, mount) = above.max_by_key(|(at, _)| at.as_bytes().len())?;
    let rest = path.strip_prefix(&at).unwrap();
    Some((mount.volume.clone(), join(&mount.sub_path, &rest.to_string())))
}

fn some_mounts() -> impl Strategy<Value = Vec<Mount>> {
    let volumes = proptest::collection::btree_map("(/[ab]){1,3}", ("[vw]", prop_oneof!["", "s"]), 0..5);
    volumes.prop_map(|mounts: BTreeMap<String, (String, String)>| {
        mounts.iter().map(|(path, (volume, sub))| mount(volume, path, sub)).collect()
    })
}

proptest! {
    /// Whatever both containers mount: where it is said that main's volume is seen, each path
    /// there leads to the same file in both.
    #[test]
    fn what_is_seen_is_the_same_file_in_main(
        main in some_mounts(),
        extra in some_mounts(),
        mirrored in proptest::collection::vec(any::<bool>(), 5),
        path in "(/[ab]){1,4}",
    ) {
        let ours: Vec<_> = main.iter().zip(mirrored).filter(|(_, kept)| *kept).map(|(m, _)| m.clone()).collect();
        let extra = extra.into_iter().filter(|e| !ours.iter().any(|m| m.path == e.path)).take(1);
        let ours: Vec<_> = ours.iter().cloned().chain(extra).collect();
        let (main, ours) = ([&argos(), main.as_slice()].concat(), [&argos(), ours.as_slice()].concat());
        let seen = Mirror::new(here(&ours), mains(&main[2..]), &[]).look(&path);
        let top = from_root(&path).unwrap();
        match seen {
            Ok(Seen::Image) => prop_assert_eq!(leads(&main, &top), None),
            Ok(Seen::Volume) => {
                let names = ["", "a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a", "c"];
                for name in names.map(|name| RelPath::from_bytes(name.as_bytes()).unwrap()) {
                    let path = top.concat(&name);
                    prop_assert!(leads(&main, &path).is_some());
                    prop_assert_eq!(leads(&main, &path), leads(&ours, &path), "{}", path);
                }
            }
            Err(Unseen::Within { .. }) => prop_assert_eq!(leads(&main, &top), None),
            Err(_) => prop_assert_ne!(&main, &ours),
        }
    }
}
