//! Real registries on loopback, of `tests/interop/registries`: for tests of images.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A registry that runs until it is dropped.
pub(crate) struct Registry {
    program: PathBuf,
    server: Child,
    pub(crate) address: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Registry {
    /// `native`, which lists referrers, or `fallback`, which does not. `None` where they are not
    /// installed, which is said.
    pub(crate) fn start(kind: &str) -> Option<Self> {
        let program = program()?;
        let mut command = Command::new(&program);
        let piped = command.arg(kind).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = piped.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(Self { program, server, address: address.trim().to_owned() })
    }

    /// What the program prints, line by line.
    pub(crate) fn call(&self, arguments: &[&str]) -> Vec<String> {
        let done = Command::new(&self.program).args(arguments).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Pushes an index of two images; its digest and theirs, with `sha256:`. The same seed gives the
    /// same images.
    pub(crate) fn push(&self, name: &str, seed: u64) -> Vec<String> {
        self.call(&["push", &self.name(name), &seed.to_string()])
    }

    /// A name in this registry.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

/// The servers' program.
pub(crate) fn program() -> Option<PathBuf> {
    let found = crate::installed::installed("registries");
    if found.is_none() {
        crate::skip::skip("the registries of tests/interop/install");
    }
    found
}
