use proptest::prelude::*;

use super::*;

fn path(text: &str) -> RelPath {
    RelPath::from_bytes(text.as_bytes()).unwrap()
}

fn links(all: &[(&str, &str)]) -> Links {
    all.iter().map(|(at, to)| (path(at), LinkTarget::from_bytes(to.as_bytes()).unwrap())).collect()
}

fn leads(all: &[(&str, &str)]) -> Vec<Leads> {
    links(all).leads().map(|(_, leads)| leads).collect()
}

#[test]
fn tells_where_a_link_leads() {
    use Leads::{Astray, Inside, Outside};
    for (target, expected) in [
        ("b", Inside),
        ("./b//c/.", Inside),
        ("nothing/there", Inside),
        (".", Inside),
        ("..", Inside),
        ("../x", Inside),
        ("../../x", Outside),
        ("../..", Outside),
        ("../../out/d/b", Outside),
        ("/etc/passwd", Outside),
        ("/", Outside),
        ("a", Astray),
        ("./../d/a/b", Astray),
    ] {
        assert_eq!(leads(&[("d/a", target)]), [expected], "{target}");
    }
}

/// What each text says by itself is not where the kernel ends.
#[test]
fn other_links_lie_on_the_way() {
    use Leads::{Astray, Inside, Outside};
    // `deep/er/up` looks three levels down, and is one.
    let up = ("deep/er/up", "../../a");
    assert_eq!(leads(&[up, ("x", "deep/er/up/../y")]), [Inside, Inside]);
    assert_eq!(leads(&[up, ("x", "deep/er/up/../../y")]), [Inside, Outside]);
    assert_eq!(leads(&[("a", "b"), ("b", "c"), ("c", "/dev/null")]), [Outside; 3]);
    assert_eq!(leads(&[("a", "b"), ("b", "c"), ("c", "d")]), [Inside; 3]);
    assert_eq!(leads(&[("a", "b"), ("b", "a"), ("c", "a/x"), ("d", "d2")]), [Astray, Astray, Astray, Inside]);
    // Inside for the kernel, and not for whoever looks at the text.
    assert_eq!(leads(&[("d", "s/u/b"), ("x", "d/../..")]), [Inside, Outside]);
    let chain: Vec<_> = (0..60).map(|n| (format!("l{n:02}"), format!("l{:02}", n + 1))).collect();
    let chain: Vec<_> = chain.iter().map(|(at, to)| (at.as_str(), to.as_str())).collect();
    let found = leads(&chain);
    assert_eq!(found.iter().filter(|leads| **leads == Astray).count(), 20, "{found:?}");
}

#[test]
fn a_long_way_ends() {
    let far = "x/../".repeat(800);
    let all: Vec<_> = (0..40).map(|n| (format!("l{n:02}"), format!("{far}l{:02}", n + 1))).collect();
    let all: Vec<_> = all.iter().map(|(at, to)| (at.as_str(), to.as_str())).collect();
    assert_eq!(leads(&all)[0], Leads::Astray);
    assert_eq!(leads(&all)[39], Leads::Inside);
}

#[test]
fn refuses_what_is_no_target() {
    assert_eq!(LinkTarget::from_bytes(b""), Err(InvalidLinkTarget::Empty));
    assert_eq!(LinkTarget::from_bytes(b"a\0"), Err(InvalidLinkTarget::Nul));
    assert_eq!(LinkTarget::from_bytes(&[b'a'; MAX_TARGET + 1]), Err(InvalidLinkTarget::TooLong));
    assert!(LinkTarget::from_escaped("%2").is_err() && LinkTarget::from_escaped("%00").is_err());
    let key = LinkTarget::from_bytes(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    assert!(!format!("{key:?}").contains("nWGx"), "{key:?}");
}

#[test]
fn is_read_as_it_is_written_and_in_no_other_way() {
    let all = links(&[("a", "b"), ("d/\u{1b}", "..\n/%")]);
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(text, r#"[{"path":"a","target":"b"},{"path":"d/%1B","target":"..%0A/%25"}]"#);
    assert_eq!(serde_json::from_str::<Links>(&text).unwrap(), all);
    for wrong in [
        "{}",
        r#"[["a","b"]]"#,
        r#"[{"path":"a"}]"#,
        r#"[{"path":"a","target":""}]"#,
        r#"[{"path":"","target":"b"}]"#,
        r#"[{"path":"../a","target":"b"}]"#,
        r#"[{"path":"a","target":"b","x":1}]"#,
        r#"[{"path":"a","target":"b"},{"path":"a","target":"b"}]"#,
        r#"[{"path":"b","target":"b"},{"path":"a","target":"b"}]"#,
        r#"[{"path":"a","target":null}]"#,
    ] {
        assert!(serde_json::from_str::<Links>(wrong).is_err(), "{wrong}");
    }
    let many: Links =
        (0..=MAX_LINKS).map(|n| (path(&n.to_string()), LinkTarget::from_bytes(b"x").unwrap())).collect();
    assert!(many.are_too_many());
    serde_json::from_str::<Links>(&serde_json::to_string(&many).unwrap()).unwrap_err();
    let long: Links = (0..200)
        .map(|n| (path(&n.to_string()), LinkTarget::from_bytes(&[b'x'; MAX_TARGET]).unwrap()))
        .collect();
    assert!(long.are_too_many() && !all.are_too_many());
}

#[test]
fn of_a_directory_only_what_is_in_it() {
    let all = links(&[("a", "b"), ("d/x", "y"), ("d/e/z", "w"), ("dd", "b")]);
    assert_eq!(all.beneath(&path("d")), links(&[("e/z", "w"), ("x", "y")]));
    assert_eq!(all.beneath(&RelPath::root()), all);
    assert!(all.beneath(&path("a")).is_empty());
}

proptest! {
    #[test]
    fn any_bytes_survive(targets in proptest::collection::vec(proptest::collection::vec(1_u8.., 1..40), 0..6)) {
        let all: Links = targets
            .iter()
            .enumerate()
            .map(|(n, bytes)| (path(&n.to_string()), LinkTarget::from_bytes(bytes).unwrap()))
            .collect();
        let text = serde_json::to_string(&all).unwrap();
        prop_assert!(text.chars().all(relpath::is_printable));
        prop_assert_eq!(serde_json::from_str::<Links>(&text).unwrap(), all);
    }

    /// A model of a file system in which everything that is no link is a directory.
    #[test]
    fn agrees_with_a_slow_walk(
        all in proptest::collection::btree_map("[ab](/[ab]){0,2}", "(\\.\\./|[ab]/|\\./){0,4}[ab]", 0..6),
    ) {
        // Nothing is beneath a link.
        let beneath = |at: &String| all.keys().any(|other| at.starts_with(&format!("{other}/")));
        let all: Vec<_> = all.iter().filter(|(at, _)| !beneath(at)).collect();
        let set: Links = all
            .iter()
            .map(|(at, to)| (path(at), LinkTarget::from_bytes(to.as_bytes()).unwrap()))
            .collect();
        for (at, found) in set.leads() {
            let text = format!("{at}/../{}", set.get(at).unwrap().escaped());
            let inside = text.split('/').try_fold(0_u32, |depth, name| match name {
                "." => Some(depth),
                ".." => depth.checked_sub(1),
                _ => Some(depth + 1),
            });
            let expected = inside.map_or(Leads::Outside, |_| slowly(&set, at));
            prop_assert_eq!(found, expected, "{:?} in {:?}", at, set);
        }
    }
}

fn slowly(all: &Links, from: &RelPath) -> Leads {
    let mut at: Vec<String> = Vec::new();
    let mut rest: Vec<String> = from.to_string().split('/').map(str::to_owned).collect();
    let mut hops = 0;
    while !rest.is_empty() {
        let name = rest.remove(0);
        match name.as_str() {
            "." | "" => {}
            ".." => {
                if at.pop().is_none() {
                    return Leads::Outside;
                }
            }
            _ => {
                at.push(name);
                if let Some(target) = all.get(&path(&at.join("/"))) {
                    at.pop();
                    hops += 1;
                    if hops > 40 {
                        return Leads::Astray;
                    }
                    let target = String::from_utf8(target.as_bytes().to_vec()).unwrap();
                    rest = target.split('/').map(str::to_owned).chain(rest).collect();
                }
            }
        }
    }
    Leads::Inside
}
