//! Adds argo-attest's containers to Argo's workflows, in their own text.
//!
//! What is added is decided on what the file means (`plan`), put between its lines
//! (`place`), and then read back: the result must mean what the input meant, and what was
//! planned beside it (`proof`). Comments, order and layout stay as they are, and what cannot
//! be changed like that is refused ([`Refusal`]). The texts come from anybody.
//!
//! What was put in can be taken out again, to the byte (`traces`, `cutter`): where a list was there
//! before, empty, what went into it says so.
//!
//! It follows the resources of Argo Workflows 3.7 to 4.1. It does not ask a cluster, and
//! does not know templates that other files hold.

mod additions;
mod around;
mod caveats;
mod change;
mod container;
mod cutter;
mod document;
mod edit;
mod flow;
mod item;
mod nearest;
mod needs;
mod place;
mod plan;
mod prefixes;
mod proof;
mod refusal;
mod removal;
mod secrets;
mod settings;
mod step;
mod traces;
mod volume;
mod workflow;
mod yaml;

pub use caveats::{Caveat, Warning};
pub use change::{Change, Container};
pub use prefixes::SharedPrefix;
pub use refusal::{Ambiguity, Obstacle, Refusal};
pub use removal::Removed;
pub use settings::{
    Authorities, Certifying, InvalidAuthorities, InvalidKeyVariable, InvalidQuantity, KeyVariable, Mode,
    PullPolicy, Quantity, Resources, RunAs, Settings, Witnessing,
};

use std::collections::{BTreeMap, BTreeSet};

use container::Maker;
use document::Object;
use edit::Edit;
use place::Placer;
use plan::Planner;
use yaml::mask::{action_line, is_chart};
use yaml::path::entry;
use yaml::{Kind, Lines, Mask, NodeId, Path, Tree, Value, Values};

/// The largest file that is read, in bytes: more than twice the largest object that
/// Kubernetes takes.
pub const MAX_FILE: usize = 4 << 20;
/// Lines of a file.
pub const MAX_LINES: usize = 200_000;
/// Templates of a file that get something.
pub const MAX_CHANGES: usize = 500;

/// A file with what was added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    /// The whole text.
    pub text: String,
    /// What became of the templates that were to get something.
    pub changes: Vec<Change>,
    /// How many workflows the file has, of whatever kind.
    pub workflows: usize,
    /// Prefixes that are taken as a directory, with attestations in them.
    pub shared_prefixes: Vec<SharedPrefix>,
    /// What will not be attested, or not be reached.
    pub warnings: Vec<Warning>,
    /// The templates among those that were named that are there.
    pub named: BTreeSet<String>,
}

/// Adds what the templates of a file ask for. The text is YAML or JSON of any number of
/// documents; those that are no workflows stay as they are. [`Refusal::Unproven`] is
/// a mistake of ours.
pub fn inject(text: &str, settings: &Settings) -> Result<Injected, Refusal> {
    check_size(text)?;
    let chart = is_chart(text);
    let (tree, masked) = read(text, chart, Tree::parse)?;
    let lines = Lines::new(text);
    let maker = Maker { settings, chart, masked };
    let mut file = File {
        text,
        tree: &tree,
        lines: &lines,
        masked,
        changes: Vec::new(),
        workflows: 0,
        shared: Vec::new(),
        warnings: Vec::new(),
        named: BTreeSet::new(),
    };
    let (mut edits, mut documents) = (Vec::new(), Vec::new());
    for root in tree.documents() {
        let done = file.document(*root, maker)?;
        edits.extend(done.edits);
        documents.push((done.expected, done.shared));
    }
    let result = edit::put(&lines, text, edits);
    let File { changes, workflows, shared: shared_prefixes, warnings, named, .. } = file;
    let mut shared = documents.iter().flat_map(|(_, shared)| shared).filter_map(|id| tree.node(*id));
    let shared = shared.next().map(|node| (node.line, node.anchor.as_deref().unwrap_or_default().to_owned()));
    let documents = documents.into_iter().map(|(expected, _)| expected).collect::<Vec<_>>();
    // What was there need not be held beside what is there now.
    drop((tree, lines));
    if result.text != text {
        proof::prove(&result.text, masked, shared.as_ref(), documents)?;
        if result.before() != text {
            return Err(Refusal::Unproven { what: "a byte that was there".into() });
        }
    }
    Ok(Injected { text: result.text, changes, workflows, shared_prefixes, warnings, named })
}

/// Takes out of a file what was put into it, by this version or one before: the same text as
/// before. `only` are the names of the templates that are meant; all, if there are none.
pub fn remove(text: &str, only: &[String]) -> Result<Removed, Refusal> {
    let mut removed = removal::remove(text, only)?.removed;
    // Whoever takes all out means that.
    removed.changes.iter_mut().for_each(|change| change.lost.clear());
    Ok(removed)
}

/// Brings a file into which something was put before to what would be put into it now.
pub fn update(text: &str, settings: &Settings) -> Result<Injected, Refusal> {
    let removal = removal::remove(text, &settings.templates)?;
    let line = removal.lines_before(text);
    let mut injected = inject(&removal.removed.text, settings).map_err(|refusal| refusal.at(&line))?;
    let same = injected.text == text;
    let mut before: BTreeMap<_, _> =
        removal.removed.changes.iter().map(|change| (change.template.as_str(), change)).collect();
    let now =
        if same { Vec::new() } else { removal::remove(&injected.text, &settings.templates)?.removed.changes };
    let now: BTreeMap<_, _> = now.iter().map(|change| (change.template.as_str(), change)).collect();
    for change in &mut injected.changes {
        change.line = line(change.line);
        let Some(known) = before.remove(change.template.as_str()) else { continue };
        change.renews(known, same);
        if let Some(now) = now.get(change.template.as_str()) {
            change.lost = known.lost.difference(&now.lost).cloned().collect();
        }
    }
    for warning in &mut injected.warnings {
        warning.line = line(warning.line);
    }
    let gone = before.into_values().cloned().map(|gone| Change { lost: BTreeSet::new(), ..gone });
    injected.changes.extend(gone);
    injected.changes.sort_by_key(|change| change.line);
    Ok(injected)
}

fn check_size(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_FILE {
        return Err(Refusal::TooLarge { most: MAX_FILE });
    }
    if text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count() > MAX_LINES {
        return Err(Refusal::TooMany { what: "lines", most: MAX_LINES });
    }
    Ok(())
}

/// The line on which what is at the end of a way begins.
fn line_of(tree: &Tree, path: &Path, root: NodeId) -> usize {
    let nodes = path.walk(tree, root).nodes;
    nodes.last().and_then(|id| tree.node(*id)).map_or(0, |node| node.line)
}

/// How a text is read as a tree.
type Parse = fn(&str, &Mask) -> Result<Tree, yaml::Unreadable>;

/// Reads a text as YAML or, if it is none, as a template of YAML.
fn read(text: &str, chart: bool, parse: Parse) -> Result<(Tree, bool), Refusal> {
    let unreadable = |e: yaml::Unreadable| Refusal::Unreadable { what: e.to_string() };
    match parse(text, &Mask::default()) {
        // An expression that is no quoted string is read as a mapping; as a word is better.
        Ok(tree) if chart => {
            Ok(parse(text, &Mask::expressions(text)).map_or((tree, false), |tree| (tree, true)))
        }
        Ok(tree) => Ok((tree, false)),
        Err(error) if text.contains("{{") => match action_line(text) {
            Some(line) => Err(Refusal::Rendered { line }),
            None => match parse(text, &Mask::expressions(text)) {
                Ok(tree) => Ok((tree, true)),
                Err(_) => Err(unreadable(error)),
            },
        },
        Err(error) => Err(unreadable(error)),
    }
}

/// A file that is being worked on.
struct File<'t> {
    text: &'t str,
    tree: &'t Tree,
    lines: &'t Lines<'t>,
    masked: bool,
    changes: Vec<Change>,
    workflows: usize,
    shared: Vec<SharedPrefix>,
    warnings: Vec<Warning>,
    named: BTreeSet<String>,
}

/// What is to become of one document.
struct Done {
    edits: Vec<Edit>,
    expected: Option<Value>,
    shared: Vec<NodeId>,
}

impl File<'_> {
    fn document(&mut self, root: NodeId, maker: Maker<'_>) -> Result<Done, Refusal> {
        let mut done = Done { edits: Vec::new(), expected: None, shared: Vec::new() };
        let unreadable = |e: yaml::value::Meaningless| Refusal::Unreadable { what: e.to_string() };
        let mut before = Values::lenient(self.tree).of(root).map_err(unreadable)?;
        let mut found = self.objects(&before, root)?;
        found.retain(|object| workflow::spec(object).is_some());
        if let Some(path) = document::elsewhere(&before, &found, maker.settings.by_defaults()) {
            return Err(Refusal::Elsewhere { line: self.line(&path, root) });
        }
        if found.is_empty() {
            // Other objects are none of our business, however odd; that they are
            // untouched is seen on the lines.
            done.expected = Some(before);
            return Ok(done);
        }
        drop(found);
        before = Values::strict(self.tree).of(root).map_err(unreadable)?;
        let found = self.objects(&before, root)?;
        let line = |path: &Path| self.line(path, root);
        let mut planner = Planner::new(maker, &line);
        let mut offset = None;
        let (mut workflows, mut named) = (0, BTreeSet::new());
        let mut shared = Vec::new();
        for spec in found.iter().filter_map(workflow::spec) {
            workflows += 1;
            named.extend(spec.named(&maker.settings.templates));
            shared.extend(prefixes::shared(&spec, maker.settings));
            offset = offset.or_else(|| self.offset(&spec.path, root));
            planner.plan(&spec)?;
            if self.changes.len() + planner.changes.len() > MAX_CHANGES {
                return Err(Refusal::TooMany { what: "templates that get something", most: MAX_CHANGES });
            }
        }
        let Planner { mut additions, mut changes, mut warnings, .. } = planner;
        drop(found);
        let mut placer = Placer {
            text: self.text,
            tree: self.tree,
            lines: self.lines,
            root,
            offset: offset.unwrap_or(0),
            edits: Vec::new(),
            shared: Vec::new(),
        };
        for addition in &mut additions {
            placer.place(addition)?;
        }
        done.expected = proof::expected(before, &additions, self.masked);
        (done.edits, done.shared) = (placer.edits, placer.shared);
        self.shared.append(&mut shared);
        self.workflows += workflows;
        self.changes.append(&mut changes);
        self.warnings.append(&mut warnings);
        self.named.append(&mut named);
        Ok(done)
    }

    fn objects<'v>(&self, document: &'v Value, root: NodeId) -> Result<Vec<Object<'v>>, Refusal> {
        document::objects(document)
            .map_err(|(path, why)| Refusal::Ambiguous { line: self.line(&path, root), why })
    }

    fn line(&self, path: &Path, root: NodeId) -> usize {
        line_of(self.tree, path, root)
    }

    /// How far this file's lists stand right of their keys.
    fn offset(&self, spec: &Path, root: NodeId) -> Option<usize> {
        let spec = spec.walk(self.tree, root).end?;
        let (key, list) = entry(self.tree, spec, "templates")?;
        let Kind::Sequence { items, flow: false } = &self.tree.node(list)?.kind else { return None };
        let column = |id: NodeId| {
            let before = self.lines.before(self.tree.node(id)?.bytes.start);
            Some(before.len() - before.trim_start_matches(' ').len())
        };
        column(*items.first()?)?.checked_sub(column(key)?).filter(|offset| *offset <= 8)
    }
}
