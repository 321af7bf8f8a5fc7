//! What a step says of its outputs in documents of its own: bills of materials, scan results, test
//! results. Each becomes the predicate of a statement, as it is.
//!
//! A signature under a type is the signer's word that the document is of that type. Whoever writes a
//! document chooses what is in it; what it is signed as is decided here: by a [`PredicateType`] that
//! nobody takes for how something was made or checked, and only if the [`Document`] looks like that.

mod document;
mod kind;

pub use document::{Document, MAX_DOCUMENT, MAX_VALUES, NotADocument};
pub use kind::{InvalidPredicateType, LABEL_DIGITS, NAMES, PredicateType, is_label};
