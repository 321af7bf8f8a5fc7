//! Proof that a changed text means what the unchanged one did, and what was planned beside
//! it: nothing more, nothing less, and every line that was there still there.

use super::item::Item;
use super::plan::Addition;
use super::refusal::Refusal;
use super::yaml::{Mask, Tree, Unreadable, Value, Values};

/// Carries the additions out on a document's meaning. `None` if there is no such place.
pub(super) fn expected(before: Value, additions: &[Addition], masked: bool) -> Option<Value> {
    let mut value = before;
    for addition in additions {
        match addition {
            Addition::Set { at, key, value: item } => {
                let mapping = value.at_mut(at)?;
                if mapping.get(key).is_some() {
                    return None;
                }
                mapping.set(key, meaning(item, masked)?)?;
            }
            Addition::Extend { at, key, front, back } => {
                let mapping = value.at_mut(at)?;
                let there = match mapping.get(key) {
                    Some(Value::List(items)) => items.clone(),
                    Some(other) if !other.is_null() => return None,
                    _ => Vec::new(),
                };
                let of = |items: &[Item]| {
                    items.iter().map(|item| meaning(item, masked)).collect::<Option<Vec<_>>>()
                };
                let items = [of(front)?, there, of(back)?].concat();
                mapping.set(key, Value::List(items))?;
            }
        }
    }
    Some(value)
}

/// What a piece of ours means, in either notation.
pub(super) fn meaning(item: &Item, masked: bool) -> Option<Value> {
    let text = item.flow(true);
    let tree = read(&text, masked).ok()?;
    Values::strict(&tree).of(*tree.documents().first()?).ok()
}

/// The documents of a changed text.
pub(super) fn read(text: &str, masked: bool) -> Result<Tree, Unreadable> {
    let mask = if masked { Mask::expressions(text) } else { Mask::default() };
    Tree::grown(text, &mask)
}

/// Shows that a changed text means what is expected of it, document by document. `shared` is an
/// anchor that what was changed hangs from, if there is one.
pub(super) fn prove(
    changed: &str,
    masked: bool,
    shared: Option<&(usize, String)>,
    documents: Vec<Option<Value>>,
) -> Result<(), Refusal> {
    let unproven = |what: String| match shared {
        Some((line, anchor)) => Refusal::Shared { line: *line, anchor: anchor.clone() },
        None => Refusal::Unproven { what },
    };
    let after = read(changed, masked).map_err(|e| unproven(e.to_string()))?;
    if after.documents().len() != documents.len() {
        return Err(unproven("another number of documents".into()));
    }
    for (at, (root, expected)) in after.documents().iter().zip(documents).enumerate() {
        if Values::grown(&after).of(*root).ok() != expected {
            return Err(unproven(format!("document {}", at + 1)));
        }
    }
    Ok(())
}
