//! Go's `path` functions and the executor's path rules, for Unix.
//!
//! Which object Argo writes depends on how Go cleans and joins paths, so the
//! rules are kept to the letter, oddities included. They work on text: an
//! artifact's path comes from JSON.

/// Go's `path.Clean`: no empty, `.` or inner `..` component, no trailing slash;
/// `.` if nothing is left.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => match kept.last() {
                Some(&"..") => kept.push(".."),
                Some(_) => {
                    kept.pop();
                }
                None if rooted => {}
                None => kept.push(".."),
            },
            _ => kept.push(component),
        }
    }
    match (rooted, kept.is_empty()) {
        (true, _) => format!("/{}", kept.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => kept.join("/"),
    }
}

/// Go's `path.Join`: the elements that are not empty, joined and cleaned; empty
/// if all are.
pub fn join(first: &str, second: &str) -> String {
    match (first, second) {
        ("", "") => String::new(),
        (one, "") | ("", one) => clean(one),
        _ => clean(&format!("{first}/{second}")),
    }
}

/// Go's `path.Base`: the last component; `.` for the empty path, `/` for one of
/// slashes only.
pub(super) fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/').rsplit('/').next() {
        None | Some("") => "/",
        Some(name) => name,
    }
}

/// The path of an output artifact as the executor cleans it; `None` where it
/// refuses the path (`Artifact.CleanPath` in Argo's
/// `pkg/apis/workflow/v1alpha1/workflow_types.go`).
///
/// Its second rule is a regular expression whose dots are wild: a path whose
/// last component has any two characters is treated as if that were `..`, which
/// refuses, for one, `/tmp//ab`.
pub(super) fn clean_artifact(path: &str) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let safe =
        path.find("/../").or_else(|| wild_parent(path)).map_or("", |end| path.get(..end).unwrap_or_default());
    let cleaned = clean(path);
    let beneath = |dir: &str| cleaned.strip_prefix(dir)?.strip_prefix('/');
    if safe.is_empty() || beneath(safe).is_some_and(|rest| !rest.is_empty()) { Some(cleaned) } else { None }
}

/// Where a path ends when its last three characters, a slash and any two, are
/// taken off it as Argo does: by three bytes.
fn wild_parent(path: &str) -> Option<usize> {
    let mut last = path.chars().rev();
    let two = [last.next()?, last.next()?];
    // A dot of Go's regular expressions matches anything but a line feed.
    (!two.contains(&'\n') && last.next()? == '/').then(|| path.len().saturating_sub(3))
}

/// Whether `path` is `dir` or beneath it, as plain text; slashes at the end of
/// `dir` do not count (`FindOverlappingVolume` in Argo's workflow/common/util.go).
pub(super) fn overlaps(path: &str, dir: &str) -> bool {
    let rest = path.strip_prefix(dir.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The results of Go 1.26 for the same arguments.
    #[test]
    fn cleans_as_go_does() {
        for (path, cleaned) in [
            ("", "."),
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("a/./b/../c", "a/c"),
            ("/../a", "/a"),
            ("../../a", "../../a"),
            ("a/../..", ".."),
            ("./", "."),
            ("/a/b/../../..", "/"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn joins_and_takes_the_base_as_go_does() {
        for (first, second, joined) in [
            ("", "", ""),
            ("a", "", "a"),
            ("", "b", "b"),
            ("a/", "/b", "a/b"),
            ("/a", "../b", "/b"),
            ("a//b", "c", "a/b/c"),
        ] {
            assert_eq!(join(first, second), joined, "{first} {second}");
        }
        for (path, name) in
            [("", "."), ("/", "/"), ("///", "/"), ("a", "a"), ("/a/b", "b"), ("/a/b//", "b"), (".", ".")]
        {
            assert_eq!(base(path), name, "{path}");
        }
    }

    #[test]
    fn refuses_the_paths_that_the_executor_refuses() {
        for (path, cleaned) in [
            ("/tmp/out", Some("/tmp/out")),
            ("/tmp/out/", Some("/tmp/out")),
            ("/tmp/ab", Some("/tmp/ab")),
            ("/ab", Some("/ab")),
            ("out", Some("out")),
            ("/", Some("/")),
            ("/data/../data/x", Some("/data/x")),
            ("/data/a/../b", None),
            ("/data/a/../a/b", Some("/data/a/b")),
            ("/../x", Some("/x")),
            ("/tmp/..", None),
            ("/tmp//ab", None),
            ("/tmp//abc", Some("/tmp/abc")),
            ("", None),
        ] {
            assert_eq!(clean_artifact(path).as_deref(), cleaned, "{path}");
        }
    }

    #[test]
    fn overlaps_whole_components_only() {
        assert!(overlaps("/data", "/data/"));
        assert!(overlaps("/data/a", "/data"));
        assert!(!overlaps("/database", "/data"));
        assert!(overlaps("/anything", "/"));
        assert!(!overlaps("relative", "/"));
    }

    proptest! {
        #[test]
        fn cleaning_is_final(path in "[a./]{0,12}") {
            let cleaned = clean(&path);
            prop_assert_eq!(clean(&cleaned), cleaned.as_str());
            prop_assert!(cleaned.len() == 1 || !cleaned.ends_with('/'));
            prop_assert_eq!(path.starts_with('/'), cleaned.starts_with('/'));
        }

        #[test]
        fn any_text_is_cleaned_or_refused(path in "\\PC*") {
            if let Some(cleaned) = clean_artifact(&path) {
                prop_assert_eq!(clean(&cleaned), cleaned);
            }
        }
    }
}
