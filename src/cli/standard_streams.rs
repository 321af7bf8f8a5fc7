//! What is written to standard output, where the answer goes, and to standard error beside it.

use std::io::{self, Write as _};

use argo_attest_core::text::JsonText;

use super::{Exit, Failure};

/// The signal that ends other programs when nobody reads what they write.
const SIGPIPE: u8 = 13;

/// Writes what a person, or a script, asked for.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Tells a person something beside what was asked for. If standard error is gone there is nobody
/// to tell, and that is no reason to end in another way.
pub(super) fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What came of writing to standard output.
pub(super) fn printed(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        // Whoever closed the pipe has read enough, and need not be told; but not all was said.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(Failure::silent(Exit::Interrupted(SIGPIPE))),
        Err(e) => Err(Failure::new(Exit::Io, format!("cannot write to standard output: {e}"))
            .remedy("the answer is not complete: look where standard output leads, and run it again")),
        Ok(()) => Ok(()),
    }
}

/// Writes one JSON object, and a newline.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Failure::new(Exit::Software, format!("cannot write the report as JSON: {e}")))?;
    let mut out = JsonText::new(io::BufWriter::new(io::stdout().lock()));
    printed(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

/// Writes one JSON object on one line.
pub(super) fn print_json_line(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|e| Failure::new(Exit::Software, format!("cannot write the report as JSON: {e}")))?;
    let mut out = JsonText::new(io::BufWriter::new(io::stdout().lock()));
    printed(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}
