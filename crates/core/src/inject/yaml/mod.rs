//! YAML as it is written: where each node stands, and what it means.
//!
//! Not a general library: it reads what Kubernetes reads (JSON's values, with anchors,
//! aliases and merge keys), and finds places for new lines. Texts come from anybody.

pub(super) mod lines;
pub(super) mod mask;
pub(super) mod path;
pub(super) mod tree;
pub(super) mod value;

pub(super) use lines::Lines;
pub(super) use mask::Mask;
pub(super) use path::Path;
pub(super) use tree::{Kind, Node, NodeId, Tree, Unreadable};
pub(super) use value::{Value, Values};
