//! What `argo-attest inspect oci://…` tells: all that refers to an image, each as a file is told.

use std::io;

use argo_attest_core::attestation_file::AttestationFile;
use serde::Serialize;

use super::{InspectedJson, inspected_text};

/// What lies with an image.
#[derive(Debug)]
pub struct InspectedImage {
    /// As named on the command line, printable.
    pub name: String,
    /// Its manifest, `oci://…@sha256:…`.
    pub manifest: String,
    /// Where each was found, and what it is.
    pub found: Vec<(String, AttestationFile)>,
    /// Why others could not be read.
    pub passed_over: Vec<String>,
}

impl InspectedImage {
    /// Each of them, one after the other.
    pub fn text(&self, out: &mut impl io::Write) -> io::Result<()> {
        let count = match self.found.len() {
            0 => "no attestation".to_owned(),
            1 => "1 attestation".to_owned(),
            count => format!("{count} attestations"),
        };
        writeln!(out, "{}: {count}; nothing was checked", self.name)?;
        writeln!(out, "{}", self.manifest)?;
        for (place, file) in &self.found {
            writeln!(out)?;
            inspected_text(out, place, file)?;
        }
        for why in &self.passed_over {
            writeln!(out, "\npassed over: {why}")?;
        }
        Ok(())
    }

    /// The same as one JSON object.
    pub fn json(&self) -> impl Serialize + '_ {
        InspectedImageJson {
            image: &self.name,
            manifest: &self.manifest,
            signatures_checked: false,
            found: self.found.iter().map(|(place, file)| InspectedJson::new(place, file)).collect(),
            passed_over: &self.passed_over,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InspectedImageJson<'a> {
    image: &'a str,
    manifest: &'a str,
    /// Always false: to look is not to verify.
    signatures_checked: bool,
    found: Vec<InspectedJson<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    passed_over: &'a [String],
}
