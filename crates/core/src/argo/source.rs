//! Finding the template: an environment variable, the file it was moved to, or
//! the file that anything in the pod can write.

use crate::trouble::{Fault, Trouble};
use std::ffi::OsStr;
use std::fmt;
use std::io;

use super::encoder::Foreign;

/// The file that holds the template when it is too long for an environment
/// variable: a `ConfigMap`, mounted read-only (`EnvConfigMountPath` in Argo's
/// workflow/common/common.go).
pub const OFFLOADED_FILE: &str = "/argo/config/ARGO_TEMPLATE";

/// The file that Argo leaves for its own use, on a volume that main can write.
pub const TEMPLATE_FILE: &str = "/var/run/argo/template";

/// The longest template that is read, in bytes. etcd, and so a pod or a
/// `ConfigMap` as a whole, ends at 1.5 MiB.
pub const TEMPLATE_LIMIT: usize = 2 * 1024 * 1024;

/// What `ARGO_TEMPLATE` says when the text is in [`OFFLOADED_FILE`].
const OFFLOADED: &str = "offloaded";

/// Where a template came from. How far it can be trusted is another question: see
/// [`TemplateSource`](super::TemplateSource).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Our own environment, set by the controller.
    Env,
    /// The `ConfigMap` that our environment points to.
    Offloaded,
    /// The file on the shared volume. Anything that runs in the pod can have
    /// replaced it.
    TemplateFile,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => "the variable ARGO_TEMPLATE",
            Self::Offloaded => OFFLOADED_FILE,
            Self::TemplateFile => TEMPLATE_FILE,
        })
    }
}

/// Why there is no template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Neither variable nor file.
    #[error(
        "ARGO_TEMPLATE is not set and there is no {TEMPLATE_FILE}: this is not a container of an Argo step"
    )]
    Absent,
    /// The file cannot be read.
    #[error("cannot read the step's template, {from}")]
    Read {
        /// Where it should be.
        from: Source,
        /// What the system said.
        source: io::Error,
    },
    /// More than [`TEMPLATE_LIMIT`].
    #[error("the step's template, {from}, has more than {TEMPLATE_LIMIT} bytes")]
    TooLarge {
        /// Where it is.
        from: Source,
    },
    /// Not UTF-8.
    #[error("the step's template, {from}, is not UTF-8")]
    NotUtf8 {
        /// Where it is.
        from: Source,
    },
    /// Not what Argo's own encoder can have written.
    #[error("the step's template, {from}, is not what Argo 3.7 to 4.1 writes")]
    Foreign {
        /// Where it is.
        from: Source,
        /// Where it departs from that.
        source: Foreign,
    },
    /// Beyond a limit.
    #[error("the step's template, {from}, has more than is read")]
    Malformed {
        /// Where it is.
        from: Source,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
}

impl Trouble for TemplateError {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Absent | Self::Read { .. } => {
                "run this inside a pod of Argo Workflows, as an initContainers or sidecars entry of a template"
            }
            Self::TooLarge { .. } | Self::Malformed { .. } => "split the template into several",
            Self::NotUtf8 { .. } | Self::Foreign { .. } => {
                "look for a parameter or a result whose value has quotes, brackets or a placeholder of its own: \
                 it has rewritten the template. If there is none, Argo is newer than this program: update it"
            }
        }.to_owned())
    }
}

/// The text of a template, within its limit, and where it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct TemplateText {
    source: Source,
    text: String,
}

impl TemplateText {
    /// Finds the template: `variable` is the value of `ARGO_TEMPLATE`, if it is
    /// set.
    pub fn find(variable: Option<&OsStr>, files: &dyn Files) -> Result<Self, TemplateError> {
        match variable {
            Some(value) if value == OFFLOADED => Self::file(Source::Offloaded, files),
            Some(value) => Self::new(Source::Env, value.as_encoded_bytes().to_vec()),
            None => match Self::file(Source::TemplateFile, files) {
                Err(TemplateError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    Err(TemplateError::Absent)
                }
                found => found,
            },
        }
    }

    /// Takes text that was found by other means.
    pub fn new(source: Source, bytes: Vec<u8>) -> Result<Self, TemplateError> {
        if bytes.len() > TEMPLATE_LIMIT {
            return Err(TemplateError::TooLarge { from: source });
        }
        let text = String::from_utf8(bytes).map_err(|_| TemplateError::NotUtf8 { from: source })?;
        Ok(Self { source, text })
    }

    fn file(from: Source, files: &dyn Files) -> Result<Self, TemplateError> {
        let bytes =
            files.read(from, TEMPLATE_LIMIT + 1).map_err(|source| TemplateError::Read { from, source })?;
        Self::new(from, bytes)
    }

    /// Where it came from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for TemplateText {
    /// Without the text: it holds the values of environment variables.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateText").field("source", &self.source).field("bytes", &self.text.len()).finish()
    }
}

/// Reading the files that may hold a template.
pub trait Files {
    /// The first `limit` bytes of [`OFFLOADED_FILE`] or [`TEMPLATE_FILE`]. Anything but a
    /// regular file is an error, and must not block. Only the first may be a symbolic link:
    /// a `ConfigMap`'s files are, and nothing else there is.
    fn read(&self, source: Source, limit: usize) -> io::Result<Vec<u8>>;
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    struct Fake(HashMap<&'static str, &'static str>);

    impl Files for Fake {
        fn read(&self, source: Source, limit: usize) -> io::Result<Vec<u8>> {
            let text = self.0.get(source.to_string().as_str()).ok_or(io::ErrorKind::NotFound)?;
            Ok(text.bytes().take(limit).collect())
        }
    }

    fn find(
        variable: Option<&str>,
        files: &[(&'static str, &'static str)],
    ) -> Result<(Source, String), TemplateError> {
        let found = TemplateText::find(variable.map(OsStr::new), &Fake(files.iter().copied().collect()))?;
        Ok((found.source(), found.as_str().to_owned()))
    }

    #[test]
    fn prefers_what_main_cannot_change() {
        let files = [(OFFLOADED_FILE, "offloaded text"), (TEMPLATE_FILE, "file text")];
        assert_eq!(find(Some("{}"), &files).unwrap(), (Source::Env, "{}".to_owned()));
        assert_eq!(
            find(Some("offloaded"), &files).unwrap(),
            (Source::Offloaded, "offloaded text".to_owned())
        );
        assert_eq!(find(None, &files).unwrap(), (Source::TemplateFile, "file text".to_owned()));
    }

    #[test]
    fn never_falls_back_to_the_file_that_main_can_write() {
        let files = [(TEMPLATE_FILE, "file text")];
        assert!(matches!(
            find(Some("offloaded"), &files),
            Err(TemplateError::Read { from: Source::Offloaded, .. })
        ));
        assert!(matches!(find(None, &[]), Err(TemplateError::Absent)));
    }

    #[test]
    fn refuses_what_is_too_large_or_not_text() {
        let large = vec![b' '; TEMPLATE_LIMIT + 1];
        assert!(matches!(TemplateText::new(Source::Env, large), Err(TemplateError::TooLarge { .. })));
        assert!(matches!(
            TemplateText::new(Source::Env, b"\xff".to_vec()),
            Err(TemplateError::NotUtf8 { .. })
        ));
    }

    #[test]
    fn shows_no_text_in_debug_output() {
        let text = TemplateText::new(Source::Env, b"hunter2".to_vec()).unwrap();
        assert_eq!(format!("{text:?}"), "TemplateText { source: Env, bytes: 7 }");
    }
}
