//! What is asked of an audit that cannot be together, or would say more than was looked at.

use std::path::{Path, PathBuf};

use super::super::asked::is_prefix;
use super::super::verify::object_uri;
use super::super::{Exit, Failure};
use super::since::Since;
use super::{AuditArgs, Output, workflows};

impl AuditArgs {
    /// Refuses all of it, before anything is looked at.
    pub(super) fn only_what_can_be(&self) -> Result<(), Failure> {
        self.only_whole_summaries()?;
        self.only_namespaces()?;
        self.only_prefixes()
    }

    /// Refuses what is made beside the report of one whole audit, of what is none.
    pub(super) fn without_more(&self, what: &str) -> Result<(), Failure> {
        let option = match &self.html {
            Some(_) => Some("--html"),
            None => self.signed.asked(),
        };
        let Some(option) = option else { return Ok(()) };
        Err(usage(
            format!("{option} is for an audit as a whole, and not for {what}"),
            "leave it out, or audit without --shard",
        ))
    }

    /// A summary speaks for all that a workflow made, to those who look at nothing else. So it is of the workflow
    /// that is named, whatever its labels are and whenever it ended: both are written by whoever may write
    /// Workflows.
    fn only_whole_summaries(&self) -> Result<(), Failure> {
        if !self.signed.has_summary() {
            return Ok(());
        }
        if self.since.is_some() {
            return Err(usage(
                "a summary is of all that a workflow made, and --since looks at what changed".to_owned(),
                "leave --since out: a summary needs no other audit, and a signed report (--signed-report) says since when",
            ));
        }
        let Some(namespace) = self.places.iter().find(|place| workflows::is_namespace(place)) else {
            return Ok(());
        };
        let namespace = super::told::shown(&namespace.to_string_lossy());
        Err(usage(
            format!("a summary is of one workflow that is named, and {namespace} is whatever there is"),
            "name it: argo://NAMESPACE/NAME",
        ))
    }

    /// Labels choose among the workflows of a namespace, and nowhere else.
    fn only_namespaces(&self) -> Result<(), Failure> {
        if self.selector.is_none() || self.places.iter().any(|place| workflows::is_namespace(place)) {
            return Ok(());
        }
        Err(usage(
            "--selector is for all workflows of a namespace, and none is named".to_owned(),
            "name argo://NAMESPACE/, or leave it out",
        ))
    }

    /// Refuses what cannot be divided, or has no time by a store's clock.
    fn only_prefixes(&self) -> Result<(), Failure> {
        if self.shard.is_some() {
            self.without_more("a part of one")?;
        }
        let option = match (&self.shard, &self.since) {
            (None, None) => return Ok(()),
            (Some(_), _) => "--shard",
            (None, Some(_)) => "--since",
        };
        if self.shard.is_some() && self.output != Output::Json {
            return Err(usage("the report of a part is JSON".to_owned(), "give -o json"));
        }
        if self.shard.is_some() && matches!(self.since, Some(Since::Ago(_))) {
            return Err(usage(
                "each part would count --since from another moment".to_owned(),
                "give all parts the same time, as 2026-11-26T02:00:00Z",
            ));
        }
        let is_workflow = |place: &Path| self.shard.is_none() && workflows::is_in_cluster(place);
        let is_prefix = |place: &PathBuf| object_uri(place).is_some_and(is_prefix) || is_workflow(place);
        if self.places.iter().all(is_prefix) {
            return Ok(());
        }
        Err(usage(
            format!("{option} is for prefixes of a bucket, and not for every place"),
            "name s3://bucket/prefix/, or leave it out",
        ))
    }
}

fn usage(message: String, remedy: &str) -> Failure {
    Failure::new(Exit::Usage, message).remedy(remedy)
}
