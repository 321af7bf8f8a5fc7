//! What a template's text has been compared with.

use std::fmt;

/// What vouches for the text of a step's template, from the least to the most. The text
/// comes through Argo's own substitution, by which what a tenant gives as a parameter
/// can rewrite it: see `docs/template.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemplateSource {
    /// Nothing but that Argo's own encoder can have written it.
    Text,
    /// The pod's own spec.
    Pod,
    /// The Workflow, as it is stored; and the pod's own spec, where that is known.
    Workflow,
}

impl TemplateSource {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 3] = [Self::Text, Self::Pod, Self::Workflow];

    /// As statements and options name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Pod => "pod",
            Self::Workflow => "workflow",
        }
    }
}

impl fmt::Display for TemplateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_in_order() {
        assert!(TemplateSource::ALL.is_sorted());
        assert_eq!(TemplateSource::ALL.map(TemplateSource::as_str), ["text", "pod", "workflow"]);
    }
}
