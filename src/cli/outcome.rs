//! `argo-attest verify --outcome`: a step's signed outcome, as a trusted key signed it.

use std::path::Path;

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;

use super::verify::object_uri;
use super::{Exit, Failure, print, print_json};
use crate::attestations::{MAX_ATTESTATION, MAX_ATTESTATION_BYTES};
use crate::regular_file;
use crate::report::{OutcomeJson, accepted_outcome};
use crate::store::{self, Location, ProcessEnv};
use crate::verify::{CheckError, Checker, check_outcome};

/// Verifies one outcome, and shows it if a trusted key signed it: what it says is told, not
/// whether the step went well.
pub(super) async fn verify(asked: &Checker, file: &Path, json: bool) -> Result<Exit, Failure> {
    let name = shown_path(file);
    let bytes = read(file, &name).await?;
    let checked = check_outcome(asked, &bytes);
    let exit = checked.as_ref().map_or_else(|no| no.fault().into(), |_| Exit::Done);
    if json {
        print_json(&OutcomeJson::new(&name, &checked))?;
        return Ok(exit);
    }
    match &checked {
        Ok(checked) => print(&accepted_outcome(&name, checked))?,
        Err(no) => {
            let help = no.remedy().map(|remedy| format!("  help: {remedy}\n")).unwrap_or_default();
            print(&format!("rejected  {name}: {}\n{help}", causes(no)))?;
        }
    }
    Ok(exit)
}

async fn read(file: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let Some(uri) = object_uri(file) else {
        return regular_file::read_named(file, MAX_ATTESTATION_BYTES)
            .map_err(|e| Failure::from(&e).about(&format!("cannot read {name}")));
    };
    let (location, key) = Location::artifact(uri)
        .map_err(|e| Failure::from_error(Exit::Usage, &e).remedy("write s3://bucket/key"))?;
    let store = store::open_named(&location, &ProcessEnv).map_err(|e| Failure::from(&CheckError::from(e)))?;
    let object = store.get(&key, MAX_ATTESTATION).await;
    Ok(object.map_err(|e| Failure::from(&CheckError::from(e)))?.bytes.to_vec())
}
