//! The whole of a workflow, or of a place: what each step owes, and what is said of it.
//!
//! A Workflow as somebody hands it over is read here ([`WorkflowRun`]), down to the nodes that ran
//! a container and the objects that they made. Nobody signed that text: it says what to look
//! for, and never what is attested. What a signed statement says of the run that it is about
//! ([`Invocation`]) is held against it, and a [`Finding`] comes of that. A workflow that hides
//! a node hides it from the audit; one that names an object of another run gets that
//! object called [`Finding::Spliced`].
//!
//! Nothing here asks a store, verifies a signature or looks at a clock.

mod finding;
mod invocation;
mod judge;
mod narrowing;
mod outcome;
mod report;
mod run;
mod shard;
pub mod shard_report;
mod totals;

pub use finding::{Absence, Finding, Retold, Standing, Told, Unfinished, Unseen};
pub use invocation::Invocation;
pub use judge::judge;
pub use narrowing::Narrowing;
pub use outcome::{OutcomeFinding, of_outcome};
pub use report::{AUDIT_V1, AuditReport, AuditedRun, Counted, Gathering, Output};
pub use run::{
    Account, Listed, Made, NODES_LIMIT, Node, Phase, RunError, Spot, WORKFLOWS_LIMIT, WorkflowPage,
    WorkflowRun,
};
pub use shard::{InvalidShard, MOST_SHARDS, Shard};
pub use totals::Totals;
