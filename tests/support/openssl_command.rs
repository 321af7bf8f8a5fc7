//! The `openssl` command.

use std::path::Path;
use std::process::Command;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// What it prints, run in a folder; the command is cut at spaces.
pub(crate) fn openssl(folder: &Path, command: &str) -> Vec<u8> {
    let ran = Command::new("openssl").args(command.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
    ran.stdout
}

/// The first certificate of a file in PEM, as DER.
pub(crate) fn certificate(file: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file).unwrap()
}
