//! How far an audit is, on a terminal.

use std::io::{IsTerminal as _, stderr, stdout};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error; nothing where that is no terminal, or where the findings themselves appear
/// on one.
#[derive(Debug, Default)]
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// Of so many things that are asked after. `tells_late`: nothing is told before the end.
    pub(super) fn of(count: usize, tells_late: bool) -> Self {
        if !stderr().is_terminal() || (stdout().is_terminal() && !tells_late) {
            return Self(None);
        }
        let style = "auditing {bar:30} {pos}/{len} {eta}";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let count = u64::try_from(count).ok();
        let bar = ProgressBar::with_draw_target(count, ProgressDrawTarget::stderr()).with_style(style);
        Self(Some(bar))
    }

    /// One more is found out; of some things there is more to say than was to be asked.
    pub(super) fn advanced(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
            if bar.length().is_some_and(|length| length < bar.position()) {
                bar.set_length(bar.position());
            }
        }
    }

    /// Takes it away.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}
