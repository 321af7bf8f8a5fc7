//! The blocks that are not run here: those of `elsewhere.json`, each by its first line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;

use super::block::Block;

/// A page, and of its blocks the first lines.
type Pages<T> = BTreeMap<String, T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Elsewhere {
    /// Run by the suite on a cluster: tests/e2e/scenarios/docs.py reads the same file.
    #[serde(rename = "on a cluster")]
    pub(crate) cluster: Pages<BTreeSet<String>>,
    /// Run by no test, and why.
    #[serde(rename = "by nobody")]
    pub(crate) nobody: Pages<BTreeMap<String, String>>,
}

impl Elsewhere {
    pub(crate) fn read() -> Self {
        let file = super::root().join("tests/docs/elsewhere.json");
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    }

    /// Whether a block of a page is run here.
    pub(crate) fn leaves(&self, page: &str, block: &Block) -> bool {
        let named = |all: &Pages<BTreeSet<String>>| all.get(page).is_some_and(|n| n.contains(block.name()));
        !named(&self.cluster) && !self.nobody.get(page).is_some_and(|n| n.contains_key(block.name()))
    }

    /// Every page and block that is named, the reasons left out.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        let cluster = self.cluster.iter().flat_map(|(page, names)| names.iter().map(move |n| (page, n)));
        let nobody = self.nobody.iter().flat_map(|(page, names)| names.keys().map(move |n| (page, n)));
        cluster.chain(nobody).map(|(page, name)| (page.as_str(), name.as_str()))
    }
}
