//! `argo://NAMESPACE/NAME`, and all of a namespace: workflows as the API server has them.

use std::path::{Path, PathBuf};

use argo_attest_core::audit::{
    Finding, Listed, NODES_LIMIT, RunError, Told, Totals, Unseen, WORKFLOWS_LIMIT, WorkflowPage, WorkflowRun,
};
use argo_attest_core::contract::annotation;
use argo_attest_core::object_name::is_object_name;
use argo_attest_core::text::{brief, causes};
use argo_attest_core::verify::Reason;
use jiff::Timestamp;

use super::super::{Exit, Failure, tell};
use super::told::shown;
use crate::audit::{Entry, Subject};
use crate::cluster::{Annotations, Person};
use crate::store::ProcessEnv;

/// What the names of workflows in a cluster begin with.
pub(super) const SCHEME: &str = "argo://";
/// Bytes of all that is said in an annotation.
const MOST_SAID: usize = 2048;
/// Workflows of a namespace that are audited at once.
const MOST: usize = 10_000;
/// Workflows that are listed, whatever comes of them: a list could have no end.
const MOST_LISTED: usize = 100_000;
/// As many as these a page counts that has fewer.
const LEAST_LISTED: usize = 20;

/// Workflows that were asked for.
#[derive(Default)]
pub(super) struct Found {
    pub(super) runs: Vec<WorkflowRun>,
    /// What is said of those of which it is not known what ran.
    pub(super) unknown: Vec<Entry>,
    /// Places of which some were not looked at, how many, and why.
    pub(super) unseen: Vec<(PathBuf, u64, Unseen)>,
    /// Who asked, to say of them what was found.
    pub(super) person: Option<Person>,
}

/// What is named: a namespace, and a workflow in it or all.
struct Named<'a> {
    place: &'a Path,
    namespace: &'a str,
    workflow: Option<&'a str>,
}

/// Whether it names workflows in a cluster.
pub(super) fn is_in_cluster(place: &Path) -> bool {
    place.to_str().is_some_and(|name| name.starts_with(SCHEME))
}

/// Whether it names all workflows of a namespace.
pub(super) fn is_namespace(place: &Path) -> bool {
    is_in_cluster(place) && named(place).is_ok_and(|named| named.workflow.is_none())
}

/// Asks for the workflows that are named; of a namespace for those that ended, and since then.
pub(super) async fn find(
    places: &[PathBuf],
    selector: Option<&str>,
    since: Option<Timestamp>,
) -> Result<Found, Failure> {
    let named = places.iter().map(|place| named(place)).collect::<Result<Vec<_>, _>>()?;
    let mut found = Found::default();
    let (mut nodes_left, mut listed) = (NODES_LIMIT, 0_usize);
    if named.is_empty() {
        return Ok(found);
    }
    let person = Person::from_env(&ProcessEnv)
        .await
        .map_err(|e| Failure::from(&e).about("cannot ask for workflows"))?;
    for Named { place, namespace, workflow } in named {
        let failed = |e: crate::cluster::ClusterError| {
            Failure::from(&e).about(&format!("cannot get {}", place.display()))
        };
        if let Some(workflow) = workflow {
            let bytes = person.workflow(namespace, workflow, WORKFLOWS_LIMIT).await.map_err(failed)?;
            match WorkflowRun::read_all(&bytes) {
                Ok(runs) => found.runs.extend(runs),
                Err(error) => found.unknown.push(unread(place.to_owned(), &error)),
            }
            continue;
        }
        let (mut after, mut page) = (None, Vec::new());
        let (mut running, mut old) = (0, 0);
        loop {
            drop(std::mem::take(&mut page));
            page =
                person.page(namespace, selector, after.as_deref(), WORKFLOWS_LIMIT).await.map_err(failed)?;
            let read = WorkflowPage::read(&page, &mut nodes_left)
                .map_err(|e| Failure::from(&e).about(&format!("cannot get {}", place.display())))?;
            listed = listed.saturating_add(read.workflows.len().max(LEAST_LISTED));
            for workflow in read.workflows {
                found.take(workflow, since, &mut running, &mut old);
            }
            let is_more = listed > MOST_LISTED && read.next.is_some();
            if found.runs.len() > MOST || is_more {
                let most = if is_more { MOST_LISTED } else { MOST };
                return Err(Failure::new(
                    Exit::Usage,
                    format!("{} has more than {most} workflows", place.display()),
                )
                .remedy("name fewer, with --selector or --since"));
            }
            after = read.next;
            if after.is_none() {
                break;
            }
        }
        let passed_over = [(running, Unseen::Running)]
            .into_iter()
            .chain(since.map(|since| (old, Unseen::Unchanged { since })));
        let passed_over = passed_over.filter(|(count, _)| *count > 0);
        found.unseen.extend(passed_over.map(|(count, why)| (place.to_owned(), count, why)));
    }
    found.person = Some(person);
    Ok(found)
}

impl Found {
    fn take(&mut self, workflow: Listed, since: Option<Timestamp>, running: &mut u64, old: &mut u64) {
        let Listed { namespace, name, run } = workflow;
        match run {
            None => *running += 1,
            Some(Ok(run)) if since.is_some_and(|since| !run.may_have_run_since(since)) => *old += 1,
            Some(Ok(run)) => self.runs.push(run),
            Some(Err(error)) => {
                self.unknown.push(unread(format!("{SCHEME}{namespace}/{name}").into(), &error));
            }
        }
    }
}

/// Says on a Workflow what was found of it, where the account may. That it may not is told, and is
/// nothing that is missing.
pub(super) async fn annotate(person: &Person, run: &WorkflowRun, totals: &Totals, report: Option<&str>) {
    let word = if totals.is_complete() { "complete" } else { "incomplete" };
    let said = brief(&format!("{word}: {totals}"), MOST_SAID);
    let mut annotations = Annotations::from([(annotation::AUDIT, said)]);
    if let Some(report) = report {
        annotations.insert(annotation::AUDIT_REPORT, brief(report, MOST_SAID));
    }
    let of = (run.namespace.as_str(), run.name.as_str(), run.uid.as_str());
    if let Err(why) = person.annotate(of, &annotations).await {
        let name = shown(&format!("{}/{}", run.namespace, run.name));
        tell(&format!("note: nothing is said on the workflow {name}: {}\n", causes(&why)));
    }
}

fn named(place: &Path) -> Result<Named<'_>, Failure> {
    let text = place.to_str().unwrap_or_default().strip_prefix(SCHEME).unwrap_or_default();
    let (namespace, workflow) = text.split_once('/').unwrap_or((text, ""));
    let workflow = Some(workflow).filter(|name| !name.is_empty());
    if is_object_name(namespace) && workflow.is_none_or(is_object_name) && text.contains('/') {
        return Ok(Named { place, namespace, workflow });
    }
    Err(Failure::new(Exit::Usage, format!("{} names no workflow", brief(&place.to_string_lossy(), 300)))
        .remedy("write argo://NAMESPACE/NAME, or argo://NAMESPACE/ for all of a namespace"))
}

/// That it is not known what ran of a workflow.
fn unread(path: PathBuf, error: &RunError) -> Entry {
    let told = Told::of(Reason::Unreadable, error);
    let subject = Subject::Artifact { path, output: None };
    Entry { step: None, subject, finding: Finding::Unknown(told), accepted: None }
}
