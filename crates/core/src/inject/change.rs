//! What is said of a template that got something, or lost it.

use std::collections::BTreeSet;

/// What became of a container of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// The template has no use for it.
    Unneeded,
    /// It was added.
    Added,
    /// It was there already, as it would be added.
    Already,
    /// It was there, and was another or elsewhere; now it is as it would be added.
    Renewed,
    /// It was there, and was taken out.
    Removed,
    /// It is there, and nothing asks for it.
    Unasked,
}

/// What became of one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The template's line, from 1.
    pub line: usize,
    /// The workflow and the template.
    pub template: String,
    /// The container that attests.
    pub sidecar: Container,
    /// The container that judges the inputs.
    pub gate: Container,
    /// What its containers of ours had and have no more: variables and volumes, by their names.
    /// Whoever brings a file up to date and leaves out an option may not mean that.
    pub lost: BTreeSet<String>,
}

impl Change {
    /// Says what became of the containers, given what was there before. `same`: whether nothing
    /// of the file is another.
    pub(super) fn renews(&mut self, before: &Self, same: bool) {
        let both = [(&mut self.sidecar, before.sidecar), (&mut self.gate, before.gate)];
        for (now, before) in both {
            *now = match (*now, before) {
                (Container::Added, Container::Removed) if same => Container::Already,
                (Container::Added, Container::Removed) => Container::Renewed,
                (Container::Unneeded, Container::Removed) => Container::Removed,
                (now, _) => now,
            };
        }
        self.line = before.line;
    }
}
