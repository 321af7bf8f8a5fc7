//! The files of a pod that may hold the step's template.

use std::io;
use std::path::Path;

use argo_attest_core::argo::{Files, OFFLOADED_FILE, Source, TEMPLATE_FILE};

use crate::regular_file::{Links, read_first};

/// The files of this container.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostFiles;

impl Files for HostFiles {
    fn read(&self, source: Source, limit: usize) -> io::Result<Vec<u8>> {
        match source {
            Source::Offloaded => Ok(read_first(Path::new(OFFLOADED_FILE), Links::Followed, limit)?),
            Source::TemplateFile => Ok(read_first(Path::new(TEMPLATE_FILE), Links::Refused, limit)?),
            Source::Env => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
