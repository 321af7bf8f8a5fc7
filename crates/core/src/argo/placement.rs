//! Where the attestation of an output lies: beside its object, or apart from it.

use std::fmt;
use std::str::FromStr;

/// Where in an artifact's bucket its attestation lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Placement {
    /// Beside the artifact, under its key and more.
    #[default]
    Beside,
    /// Under the same name beneath [`crate::contract::store::APART`]: whoever takes a prefix
    /// of artifacts does not take attestations with them.
    Apart,
}

/// A word that is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is neither \"beside\" nor \"apart\"")]
pub struct UnknownPlacement;

impl FromStr for Placement {
    type Err = UnknownPlacement;

    fn from_str(word: &str) -> Result<Self, UnknownPlacement> {
        match word {
            "beside" => Ok(Self::Beside),
            "apart" => Ok(Self::Apart),
            _ => Err(UnknownPlacement),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beside => "beside",
            Self::Apart => "apart",
        })
    }
}

/// Whether a node is one of those into which Argo made a step, one an item (`withItems`,
/// `withParam`, `withSequence`), or runs beneath one. Their outputs are what another step
/// takes together, by the prefix of their keys.
///
/// Argo writes such a node's name as `STEP(INDEX:ITEM)` (`processItem` in its
/// workflow/controller/steps.go); of a retry it is `STEP(INDEX)`. The item is anybody's text,
/// and only there because of the parenthesis before it: no name of a workflow, step, task or
/// template has one.
pub fn is_fan_out(node_name: &str) -> bool {
    node_name.split('(').skip(1).any(|rest| {
        rest.split_once(':').is_some_and(|(index, _)| {
            !index.is_empty() && index.len() <= 10 && index.bytes().all(|b| b.is_ascii_digit())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fan_out_is_known_by_the_nodes_name() {
        for name in [
            "map-reduce-x7k2[1].map(0:1)",
            "wf.map(12:file.txt)(0)",
            "wf.map(0:a)[0].inner",
            "wf.map(3:)",
            "wf.map(0:name:x,size:(1)))",
            "wf.map(0:x)(1)",
        ] {
            assert!(is_fan_out(name), "{name}");
        }
        for name in
            ["", "wf", "wf[0].step", "wf.task(0)", "wf[0].step(1)", "wf.onExit", "wf:0", "wf(a:b)", "wf(:b)"]
        {
            assert!(!is_fan_out(name), "{name}");
        }
    }

    #[test]
    fn words_and_back() {
        for placement in [Placement::Beside, Placement::Apart] {
            assert_eq!(placement.to_string().parse(), Ok(placement));
        }
        assert_eq!("".parse::<Placement>(), Err(UnknownPlacement));
    }
}
