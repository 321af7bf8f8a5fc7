//! The documents hold what they promise: links lead somewhere, and each line of
//! the threat model names a test that exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use argo_attest_core::contract::{annotation, place, variable};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

pub(crate) fn documents() -> Vec<PathBuf> {
    let mut found =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "workflow-templates/README.md"]
            .map(|name| root().join(name))
            .to_vec();
    files(&root().join("docs"), "md", &mut found);
    found
}

/// Names of the functions in the tests and beside the code.
fn functions() -> BTreeSet<String> {
    let mut sources = Vec::new();
    files(&root().join("src"), "rs", &mut sources);
    files(&root().join("crates"), "rs", &mut sources);
    files(&root().join("tests"), "rs", &mut sources);
    let name = |line: &str| {
        let (name, _) = line.split_once("fn ")?.1.split_once('(')?;
        Some(name.split('<').next()?.to_owned())
    };
    sources
        .iter()
        .flat_map(|s| fs::read_to_string(s).unwrap().lines().filter_map(name).collect::<Vec<_>>())
        .collect()
}

/// Names of the scenarios on a cluster.
fn scenarios() -> BTreeSet<String> {
    let mut sources = Vec::new();
    files(&root().join("tests/e2e/scenarios"), "py", &mut sources);
    let name = |call: &str| Some(call.split_once('"')?.0.to_owned());
    sources
        .iter()
        .flat_map(|s| {
            let text = fs::read_to_string(s).unwrap();
            text.split("scenario(\"").skip(1).filter_map(name).collect::<Vec<_>>()
        })
        .collect()
}

/// A heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, fragment) = link.split_once('#').map_or((link, None), |(f, a)| (f, Some(a)));
            let target =
                if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}: no such file", document.display());
            if let Some(fragment) = fragment {
                let text = fs::read_to_string(&target).unwrap();
                let there = text.lines().filter(|l| l.starts_with('#')).any(|l| anchor(l) == fragment);
                assert!(there, "{}: {link}: no such heading", document.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} links were found");
}

#[test]
fn the_page_on_admission_shows_the_policies_that_are_tried() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let page = read("docs/how-to/admit-only-attested-images.md");
    for name in ["kyverno.yaml", "policy-controller.yaml"] {
        let tried = read(&format!("tests/admitting/{name}"));
        assert!(page.contains(&format!("```yaml\n{tried}```")), "the page shows another than {name}");
    }
}

#[test]
fn each_threat_has_a_test() {
    let tests: BTreeSet<_> = functions().into_iter().chain(scenarios()).collect();
    let text = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let (_, text) = text.split_once("\n## Threats\n").unwrap();
    let (text, _) = text.split_once("\n## Other people's bugs\n").unwrap();
    let rows = text.lines().filter(|l| l.starts_with("| ") && !l.ends_with("| test |"));
    let mut missing = Vec::new();
    for row in rows {
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
        if names.is_empty() || !names.iter().all(|n| tests.contains(*n)) {
            missing.push(row);
        }
    }
    assert!(
        missing.is_empty(),
        "these lines name no test, or one that is not there:\n{}",
        missing.join("\n")
    );
}

/// The index has every page, once.
#[test]
fn the_index_has_every_page() {
    let folder = root().join("docs");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut pages = Vec::new();
    files(&folder, "md", &mut pages);
    for page in pages {
        let name = page.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        if name != "README.md" {
            assert_eq!(index.matches(&format!("]({name})")).count(), 1, "{name}");
        }
    }
}

/// A policy's variables, by name.
fn variables(policy: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("workflow-templates/admission").join(policy)).unwrap();
    let (_, text) = text.split_once("\n  variables:\n").unwrap();
    let end = ["\n  validations:\n", "\n  mutations:\n"].iter().filter_map(|e| text.find(e)).min().unwrap();
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with('#'));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let one = |variable: &str| {
        let (name, expression) = variable.split_once(['\n', ','])?;
        Some((name.to_owned(), expression.to_owned()))
    };
    lines.split("\n  - name: ").flat_map(|part| part.split("\n  - {name: ")).filter_map(one).collect()
}

/// protect.yaml works out what inject.yaml writes: by the same words, but for what other
/// webhooks add after it.
#[test]
fn both_policies_mean_the_same_pod() {
    let (inject, protect) = (variables("inject.yaml"), variables("protect.yaml"));
    let later = [
        ("+variables.laterContainers)", ")"),
        (".filter(m,!(m.nameinvariables.laterVolumes))", ""),
        ("!(m.nameinvariables.laterVolumes)&&", ""),
    ];
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    let mut checked = 0;
    for (name, expression) in &inject {
        let Some(other) = protect.get(name) else { continue };
        let other = later.iter().fold(plain(other), |text, (added, without)| text.replace(added, without));
        assert_eq!(other, plain(expression), "the variable {name}");
        checked += 1;
    }
    assert!(checked > 25, "only {checked} variables were compared");
}

/// Every word of a text that begins with one of these.
fn words<'t>(
    text: &'t str,
    beginning: &'static str,
    more: fn(char) -> bool,
) -> impl Iterator<Item = &'t str> {
    text.match_indices(beginning).map(move |(at, _)| {
        let word = &text[at..];
        &word[..beginning.len()
            + word[beginning.len()..].find(|c| !more(c)).unwrap_or(word.len() - beginning.len())]
    })
}

/// Templates, policies and documents name no variable, annotation or place that the program
/// does not know.
#[test]
fn all_that_is_named_is_in_the_contract() {
    let mut files = documents();
    for extension in ["yaml", "md"] {
        self::files(&root().join("workflow-templates"), extension, &mut files);
    }
    let annotations = [
        annotation::ATTEST,
        annotation::VERIFY_INPUTS,
        annotation::VERIFY_IMAGES,
        annotation::IMAGES,
        annotation::PREDICATES,
        annotation::PLACE,
        annotation::STATE,
        annotation::ATTESTED,
        annotation::DIGESTS,
        annotation::ATTESTATIONS,
        annotation::AUDIT,
        annotation::AUDIT_REPORT,
        // Not annotations: a policy's version, a namespace's label.
        "argo-attest.io/v",
        "argo-attest.io/protect",
    ];
    let places = [
        place::KEY,
        place::KEY_FILE,
        place::POLICY,
        place::POLICY_FILE,
        place::API_TOKEN,
        place::AUTHORITIES,
        place::REGISTRY,
        place::TRUST,
        place::IDENTITY,
        place::IDENTITY_TOKEN,
        place::TRUSTED_ROOT_FILE,
    ];
    let mut seen = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let of = |word: &str| format!("{}: {word}", file.display());
        for word in words(&text, "ARGO_ATTEST_", |c| c.is_ascii_uppercase() || c == '_') {
            // All that begin so.
            let pattern =
                word.ends_with('_') && variable::ALL_VARIABLES.iter().any(|name| name.starts_with(word));
            assert!(pattern || variable::ALL_VARIABLES.contains(&word), "{}", of(word));
            seen.insert(word.to_owned());
        }
        for word in words(&text, annotation::PREFIX, |c| c.is_ascii_lowercase() || c == '-') {
            assert!(word == annotation::PREFIX || annotations.contains(&word), "{}", of(word));
        }
        for beginning in [place::CONFIGURATION, place::EVIDENCE] {
            for word in words(&text, beginning, |c| c.is_ascii_lowercase() || "/.-".contains(c)) {
                let word = word.trim_end_matches(['/', '.']);
                assert!(word == beginning || places.contains(&word), "{}", of(word));
            }
        }
    }
    let unsaid: Vec<_> = variable::ALL_VARIABLES.iter().filter(|name| !seen.contains(**name)).collect();
    assert!(unsaid.is_empty(), "no document names {unsaid:?}");
}

/// The map has every room, and no room that is not there.
#[test]
fn the_map_has_every_room() {
    let map = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (core, rest) = map.split_once("`crates/core/src`:").unwrap().1.split_once("`src`:").unwrap();
    let (rest, questions) = rest.split_once("## Where is it decided?").unwrap();
    let questions = questions.split_once("### ").unwrap().0;
    let named: Vec<_> = questions.split('`').filter(|text| text.contains(".rs")).collect();
    assert!(named.len() > 10, "{named:?}");
    for file in named {
        assert!(root().join(file).is_file(), "{file}");
    }
    for (folder, table) in [("crates/core/src", core), ("src", rest)] {
        let told: BTreeSet<_> = table
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once(" | "))
            .flat_map(|(rooms, _)| rooms.split(", "))
            .map(|room| room.trim_matches('`').split("::").next().unwrap().to_owned())
            .collect();
        let there: BTreeSet<_> = fs::read_dir(root().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|name| !["lib", "main"].contains(&name.as_str()))
            .collect();
        assert_eq!(told, there, "{folder}");
    }
}

/// Which modules of a crate a file names, tests left out.
fn leans_on(text: &str) -> BTreeSet<String> {
    let named = |line: &str| {
        let parts = line.split("crate::").skip(1);
        parts
            .map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    code(text).flat_map(named).collect()
}

/// Rooms lean on others in one direction: those that lean on nothing are taken away, and then
/// the next, until none is left.
#[test]
fn no_modules_lean_on_each_other_in_a_circle() {
    for folder in ["crates/core/src", "src"] {
        let mut sources = Vec::new();
        files(&root().join(folder), "rs", &mut sources);
        let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for source in sources {
            let place = source.strip_prefix(root().join(folder)).unwrap();
            let mut parts = place.iter().map(|part| part.to_str().unwrap());
            let room = parts.next().unwrap().trim_end_matches(".rs").to_owned();
            if ["lib", "main"].contains(&room.as_str())
                || parts.any(|part| part.trim_end_matches(".rs") == "tests")
            {
                continue;
            }
            let text = fs::read_to_string(&source).unwrap();
            rooms.entry(room).or_default().extend(leans_on(&text));
        }
        for (room, others) in &mut rooms {
            others.remove(room);
        }
        let all: BTreeSet<_> = rooms.keys().cloned().collect();
        assert!(rooms.values().flatten().any(|other| all.contains(other)), "{folder}: nothing was read");
        loop {
            let left: BTreeSet<_> = rooms.keys().cloned().collect();
            rooms.retain(|_, others| others.iter().any(|other| left.contains(other)));
            if rooms.len() == left.len() {
                break;
            }
        }
        assert!(rooms.is_empty(), "{folder}: {:?}", rooms.keys());
    }
}

/// A file's own code: no comments, and no tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// Where an attestation lies is known in one room. What the command line tells a person may
/// name it; nothing else that it does may.
#[test]
fn one_room_knows_where_an_attestation_lies() {
    let suffixes = [".sigstore.json", ".intoto.jsonl", ".manifest.sha256", "manifest::SUFFIX"];
    let mut sources = Vec::new();
    files(&root().join("src"), "rs", &mut sources);
    let mut seen = 0;
    for source in sources {
        let place = source.strip_prefix(root().join("src")).unwrap();
        let parts: Vec<_> = place.iter().map(|part| part.to_str().unwrap()).collect();
        if parts.iter().any(|part| part.trim_end_matches(".rs") == "tests") {
            continue;
        }
        let text = fs::read_to_string(&source).unwrap();
        for line in code(&text) {
            for suffix in suffixes {
                let Some((before, _)) = line.split_once(suffix) else { continue };
                if parts[0] == "attestations" {
                    seen += 1;
                    continue;
                }
                // In a sentence, after a word or a space.
                let in_text =
                    parts[0] == "cli" && before.ends_with(|c: char| c == ' ' || c.is_alphanumeric());
                assert!(in_text, "{}: {line}", source.display());
            }
        }
    }
    assert!(seen >= 3, "the room itself names only {seen}");
}
