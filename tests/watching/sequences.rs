//! Any sequence of changes, observed while it happens, ends as if it had been
//! looked at only afterwards.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use argo_attest::observe::Observation;
use proptest::prelude::*;

use crate::fixture::{Scene, cold, digests};

#[derive(Debug, Clone)]
enum Step {
    Write(usize, u16),
    Append(usize, u16),
    Truncate(usize),
    Remove(usize),
    Rename(usize, usize),
    Link(usize, usize),
    Symlink(usize, usize),
    Directory(usize),
    RemoveAll(usize),
    Mode(usize),
    /// Lets the observer catch up, for a moment.
    Pause,
}

/// Names that collide as files and as directories.
const NAMES: [&str; 12] = [
    "out",
    "out/a",
    "out/b",
    "out/a/a",
    "out/a/b",
    "out/b/a",
    "out/b/c",
    "out/a/a/a",
    "out/a/b/c",
    "aside",
    "aside/a",
    "aside/a/b",
];

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    prop_oneof![
        4 => (name.clone(), any::<u16>()).prop_map(|(a, n)| Step::Write(a, n)),
        2 => (name.clone(), any::<u16>()).prop_map(|(a, n)| Step::Append(a, n)),
        1 => name.clone().prop_map(Step::Truncate),
        2 => name.clone().prop_map(Step::Remove),
        3 => (name.clone(), name.clone()).prop_map(|(a, b)| Step::Rename(a, b)),
        2 => (name.clone(), name.clone()).prop_map(|(a, b)| Step::Link(a, b)),
        1 => (name.clone(), name.clone()).prop_map(|(a, b)| Step::Symlink(a, b)),
        4 => name.clone().prop_map(Step::Directory),
        1 => name.clone().prop_map(Step::RemoveAll),
        1 => name.prop_map(Step::Mode),
        1 => Just(Step::Pause),
    ]
}

/// Most steps fail for most states, which is fine: both sides see the same.
fn apply(dir: &Path, step: &Step) {
    let at = |n: &usize| dir.join(NAMES[*n]);
    let _ = match step {
        Step::Write(a, n) => fs::write(at(a), n.to_string().repeat(usize::from(*n) / 8)),
        Step::Append(a, n) => OpenOptions::new()
            .append(true)
            .create(true)
            .open(at(a))
            .and_then(|mut file| file.write_all(n.to_string().as_bytes())),
        Step::Truncate(a) => OpenOptions::new().write(true).open(at(a)).and_then(|file| file.set_len(3)),
        Step::Remove(a) => fs::remove_file(at(a)),
        Step::Rename(a, b) => fs::rename(at(a), at(b)),
        Step::Link(a, b) => fs::hard_link(at(a), at(b)),
        Step::Symlink(a, b) => symlink(at(a), at(b)),
        Step::Directory(a) => fs::create_dir_all(at(a)),
        Step::RemoveAll(a) => fs::remove_dir_all(at(a)),
        Step::Mode(a) => fs::set_permissions(at(a), fs::Permissions::from_mode(0o755)),
        Step::Pause => {
            std::thread::sleep(std::time::Duration::from_millis(30));
            Ok(())
        }
    };
}

fn view(observation: &Observation) -> impl PartialEq + std::fmt::Debug + use<> {
    let Observation { links, refused, interests, complete, .. } = observation;
    (digests(observation), links.clone(), refused.clone(), interests.clone(), *complete)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn watched_is_the_same_as_cold(steps in proptest::collection::vec(step(), 0..120)) {
        let scene = Scene::new();
        for step in &steps {
            apply(scene.dir.path(), step);
        }
        let (found, dir) = scene.finish();
        prop_assert_eq!(view(&found), view(&cold(dir.path(), "out")));
        prop_assert!(found.files.keys().all(|path| path.as_bytes().starts_with(b"out")));
    }
}
