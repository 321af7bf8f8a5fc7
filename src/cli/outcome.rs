//! `argo-attest verify --outcome`: a step's signed outcome, as a trusted key signed it.

use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;

use super::{Exit, Failure, print, print_json};
use crate::attestations::MAX_ATTESTATION_BYTES;
use crate::document::DocumentName;
use crate::report::{OutcomeJson, accepted_outcome, outcome_remedy};
use crate::store::ProcessEnv;
use crate::verify::{Checker, check_outcome};

/// Verifies one outcome, and shows it if a trusted key signed it: what it says is told, not
/// whether the step went well.
pub(super) async fn verify(asked: &Checker, named: &DocumentName, json: bool) -> Result<Exit, Failure> {
    let outcome = named.open(&ProcessEnv)?;
    let bytes = outcome
        .read(MAX_ATTESTATION_BYTES)
        .await
        .map_err(|e| Failure::from(&e).about("cannot read the outcome"))?;
    let name = outcome.to_string();
    let checked = check_outcome(asked, &bytes);
    let exit = checked.as_ref().map_or_else(|no| no.fault().into(), |_| Exit::Done);
    if json {
        print_json(&OutcomeJson::new(&name, &checked))?;
        return Ok(exit);
    }
    match &checked {
        Ok(checked) => print(&accepted_outcome(&name, checked))?,
        Err(no) => {
            let help = outcome_remedy(no).map(|remedy| format!("  help: {remedy}\n")).unwrap_or_default();
            print(&format!("rejected  {name}: {}\n{help}", causes(no)))?;
        }
    }
    Ok(exit)
}
