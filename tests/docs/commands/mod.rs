//! Every command that a page shows is run, and prints what the page says.
//!
//! A block of `console` or `sh` is typed into a shell as it stands: its commands have to end with
//! success, and what a `console` block shows beneath a command is what it prints. A command that is
//! shown to fail is followed by `echo $?`. `elsewhere.json` names the blocks that are not typed here:
//! those for a cluster, which the suite there runs, and those that no test runs, with the reason.
//! With `TRYCMD=overwrite` the pages are brought up to date.

mod block;
mod elsewhere;
mod output;
mod scripts;
mod session;
mod steps;
mod yaml;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use block::{Block, Shown};
use elsewhere::Elsewhere;
use session::{Outcome, Session, Step, Typed};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each page by its path from the root.
fn pages() -> Vec<String> {
    let relative = |path: std::path::PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    crate::pages::documents().into_iter().map(relative).collect()
}

fn blocks(page: &str) -> Vec<Block> {
    Block::all(&fs::read_to_string(root().join(page)).unwrap())
}

/// What is typed of a page, with what it shows.
enum Part {
    Commands(Block),
    Shown(Block, Shown),
    /// Scripts within a file for a CI system.
    Script(Block, String),
}

impl Part {
    fn of(block: Block) -> Vec<Self> {
        match block.language.as_str() {
            "sh" => vec![Self::Commands(block)],
            "console" => {
                let shown = block.shown();
                shown.into_iter().map(|shown| Self::Shown(block.clone(), shown)).collect()
            }
            "yaml" => {
                let scripts = scripts::of(&block.text);
                scripts.into_iter().map(|script| Self::Script(block.clone(), script)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn step(&self) -> Step {
        match self {
            Self::Commands(block) => Step { commands: block.text.clone(), may_fail: false },
            Self::Shown(_, shown) => Step { commands: shown.command.clone(), may_fail: true },
            Self::Script(_, script) => Step { commands: script.clone(), may_fail: false },
        }
    }

    fn line(&self) -> usize {
        match self {
            Self::Commands(block) | Self::Script(block, _) => block.line,
            Self::Shown(_, shown) => shown.lines.start,
        }
    }
}

/// Lines of a page that are to be replaced.
type Change = (std::ops::Range<usize>, Vec<String>);

/// What is wrong with a page, and how it would be right.
fn judge(parts: &[Part], typed: &[Typed]) -> (Vec<String>, Vec<Change>) {
    let (mut wrong, mut changes) = (Vec::new(), Vec::new());
    for (at, part) in parts.iter().enumerate() {
        let line = part.line();
        let Some(Typed { code, said }) = typed.get(at) else {
            wrong.push(format!("line {line}: not reached"));
            break;
        };
        if let Part::Shown(block, shown) = part {
            let now = output::as_shown(said, &shown.output);
            if now != shown.output {
                wrong
                    .push(format!("line {line}: {}\nshown:\n{}printed:\n{now}", shown.command, shown.output));
                changes.push((shown.lines.clone(), block.indented(&now)));
            }
            let told = matches!(parts.get(at + 1), Some(Part::Shown(_, next)) if next.command == "echo $?");
            if *code != 0 && !told {
                wrong.push(format!(
                    "line {line}: {} ended with {code}, and no `echo $?` shows it",
                    shown.command
                ));
            }
        } else if *code != 0 {
            wrong.push(format!("line {line}: ended with {code}\n{said}"));
        }
    }
    (wrong, changes)
}

fn overwrite(page: &str, changes: Vec<Change>) {
    let file = root().join(page);
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for (range, new) in changes.into_iter().rev() {
        lines.splice(range, new);
    }
    fs::write(file, lines.join("\n") + "\n").unwrap();
}

async fn try_page(page: &str, elsewhere: &Elsewhere) -> Vec<String> {
    let here = blocks(page).into_iter().filter(|block| elsewhere.leaves(page, block));
    let parts: Vec<_> = here.flat_map(Part::of).collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let server = tempfile::tempdir().unwrap();
    let endpoint = crate::servers::s3s_fs(server.path()).await;
    let session = Session::new(endpoint, server.path().to_owned());
    steps::leave(page, &session).await;
    let given = root().join("tests/docs/given").join(page).with_extension("sh");
    let given = given.exists().then_some(given);
    let steps: Vec<_> = parts.iter().map(Part::step).collect();
    let outcome = tokio::task::spawn_blocking(move || session.run(given.as_deref(), &steps)).await.unwrap();
    let typed = match outcome {
        Outcome::Typed(typed) => typed,
        Outcome::Lacks(program) => {
            crate::skip::skip(&format!("{program}, for {page}"));
            return Vec::new();
        }
    };
    let (wrong, changes) = judge(&parts, &typed);
    if std::env::var_os("TRYCMD").is_some_and(|action| action == "overwrite") && !changes.is_empty() {
        overwrite(page, changes);
    }
    wrong.into_iter().map(|what| format!("{page}: {what}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_does_what_it_shows() {
    let elsewhere = Elsewhere::read();
    let only = std::env::var("PAGE").unwrap_or_default();
    let mut wrong = Vec::new();
    for page in pages().iter().filter(|page| page.contains(&only)) {
        wrong.extend(try_page(page, &elsewhere).await);
    }
    assert!(
        wrong.is_empty(),
        "{}\n\nTRYCMD=overwrite cargo test --test docs writes what is printed into the pages",
        wrong.join("\n\n")
    );
}

/// What `elsewhere.json` names is there; and no reason is empty.
#[test]
fn what_is_run_elsewhere_is_there() {
    let elsewhere = Elsewhere::read();
    for (page, name) in elsewhere.named() {
        let count = blocks(page).iter().filter(|block| block.name() == name).count();
        assert_eq!(count, 1, "{page}: blocks that begin with {name:?}");
    }
    let reasons = elsewhere.nobody.values().flat_map(|blocks| blocks.values());
    assert!(reasons.into_iter().all(|reason| reason.len() > 10));
}

/// The suite on a cluster has a scenario for each page that has commands for it.
#[test]
fn the_suite_on_a_cluster_types_the_rest() {
    let listed = Command::new("python3")
        .arg(root().join("tests/e2e/run"))
        .args(["--list", "--only", "docs/"])
        .output();
    let Ok(listed) = listed else { return crate::skip::skip("python3") };
    let (names, said) = (String::from_utf8(listed.stdout).unwrap(), String::from_utf8_lossy(&listed.stderr));
    let told: BTreeSet<_> = names.lines().filter_map(|name| name.strip_prefix("docs/")).collect();
    let elsewhere = Elsewhere::read();
    let pages: Vec<String> = elsewhere.cluster.into_keys().collect();
    let wanted: BTreeSet<_> =
        pages.iter().map(|page| page.rsplit('/').next().unwrap().trim_end_matches(".md")).collect();
    assert_eq!(told, wanted, "{said}");
}

/// A block of a language that nobody knows here would be looked at by nobody.
#[test]
fn every_block_says_what_it_is() {
    let known = ["console", "sh", "yaml", "json", "mermaid", "dockerfile", "text"];
    for page in pages() {
        for block in blocks(&page) {
            let language = block.language.as_str();
            assert!(known.contains(&language), "{page}:{}: {language:?}", block.line);
            let prompt = block.text.lines().any(|line| line.starts_with("$ "));
            assert!(!prompt || language == "console", "{page}:{}: commands", block.line);
            let calls = block.text.lines().any(|line| line.starts_with("argo-attest "));
            assert!(!calls || block.is_commands(), "{page}:{}: commands", block.line);
        }
    }
}
