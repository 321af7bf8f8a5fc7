//! Progress on a terminal, when there is much to digest.

use std::io::{IsTerminal as _, stderr};
use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::observe::Progress;

/// What a modern machine digests in less time than a bar takes to read.
const WORTH_SHOWING: u64 = 256 * 1024 * 1024;

/// A bar on standard error; nothing where that is no terminal, or for small work.
#[derive(Debug, Default)]
pub(super) struct Bar(OnceLock<ProgressBar>);

impl Progress for Bar {
    fn total(&self, bytes: u64) {
        if bytes < WORTH_SHOWING || !stderr().is_terminal() {
            return;
        }
        let bar = self.0.get_or_init(|| {
            let style = "digesting {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(
                ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        });
        bar.set_length(bytes);
    }

    fn advanced(&self, bytes: u64) {
        if let Some(bar) = self.0.get() {
            bar.inc(bytes);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.0.get() {
            bar.finish_and_clear();
        }
    }
}
