//! What clap says of a command line that makes no sense, without what nobody may read.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use argo_attest_core::secret::{redacted, shown};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Exit, printed};

/// Prints clap's error, or the help that was asked for. Values that were given are
/// repeated only in the printable form, and not if they may be a key.
pub(super) fn tell(mut error: clap::Error) -> ExitCode {
    if is_asked_for(&error) {
        let written = printed(error.print().and_then(|()| stdout().flush()));
        return written.map_or_else(|failure| failure.end(), |()| Exit::Done.into());
    }
    hide(&mut error);
    // Why a value is not taken is told in its parser's own words, which may quote it.
    let rendered = error.render().to_string();
    let told = redacted(&rendered);
    // If standard error is gone there is nobody to tell.
    let _ = if told == rendered {
        error.print()
    } else {
        stderr().write_all(told.as_bytes()).and_then(|()| stderr().write_all(b"\n"))
    };
    Exit::Usage.into()
}

/// Whether it is no error, but help, or the version.
pub(super) fn is_asked_for(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// The same in one line, without the usage that clap adds.
pub(super) fn reason(mut error: clap::Error) -> String {
    hide(&mut error);
    let rendered = error.render().to_string();
    let what = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = what.split_whitespace().collect();
    let words = words.join(" ");
    redacted(words.strip_prefix("error: ").unwrap_or(&words)).into_owned()
}

fn hide(error: &mut clap::Error) {
    for (kind, value) in hidden(error) {
        match value {
            Some(value) => error.insert(kind, value),
            None => error.remove(kind),
        };
    }
}

/// What has to be told otherwise, or not at all.
fn hidden(error: &clap::Error) -> Vec<(ContextKind, Option<ContextValue>)> {
    let mut hidden = Vec::new();
    for (kind, value) in error.context() {
        // These are ours: names of options and values that there are.
        if matches!(kind, ContextKind::Usage | ContextKind::ValidValue | ContextKind::ValidSubcommand) {
            continue;
        }
        let other = match value {
            ContextValue::String(text) => {
                Some(shown(text.as_bytes())).filter(|told| told != text).map(ContextValue::String)
            }
            ContextValue::Strings(texts) => {
                Some(texts.iter().map(|text| shown(text.as_bytes())).collect::<Vec<_>>())
                    .filter(|told| told != texts)
                    .map(ContextValue::Strings)
            }
            ContextValue::StyledStr(text) => {
                if is_told(&text.to_string()) {
                    None
                } else {
                    hidden.push((kind, None));
                    None
                }
            }
            ContextValue::StyledStrs(texts) => {
                if texts.iter().all(|text| is_told(&text.to_string())) {
                    None
                } else {
                    hidden.push((kind, None));
                    None
                }
            }
            _ => None,
        };
        hidden.extend(other.map(|value| (kind, Some(value))));
    }
    hidden
}

fn is_told(text: &str) -> bool {
    text.split_whitespace().all(|word| shown(word.as_bytes()) == word)
}
