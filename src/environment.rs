//! The environment as a port, so that what is read from it can be tested.

use std::ffi::OsString;

/// Where environment variables come from. Any `Fn(&str) -> Option<OsString>`
/// will do; [`ProcessEnv`] is the real one.
pub trait Env {
    /// The variable's value, if it is set.
    fn var(&self, name: &str) -> Option<OsString>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    fn var(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

impl<F: Fn(&str) -> Option<OsString>> Env for F {
    fn var(&self, name: &str) -> Option<OsString> {
        self(name)
    }
}
