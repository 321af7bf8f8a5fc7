//! The table of nodes, which Argo's controller writes: plain, packed (workflow/packer), or in a
//! database (`nodeStatusOffLoad`), of which only a version stays here.

use std::borrow::Cow;
use std::io::Read as _;

use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use flate2::read::MultiGzDecoder;
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::wire::{Node, Status};
use super::{LIMITS, RunError, WORKFLOWS_LIMIT, error, shaped_owned};
use crate::json;
use crate::text::brief;

/// Hands each node to `look`, with its id.
pub(super) fn each(
    status: &Status<'_>,
    workflow: &str,
    look: &mut dyn FnMut(String, Node) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().is_some_and(|text| !text.is_empty());
    if let Some(packed) = status.compressed_nodes.as_deref().filter(|packed| !packed.is_empty()) {
        let why = |why: String| RunError::Packed { name: error::shown(workflow), why };
        let unpacked = unpack(packed, WORKFLOWS_LIMIT).map_err(why)?;
        let table = json::raw(&unpacked, LIMITS).map_err(|e| why(e.to_string()))?;
        return of_table(table, look);
    }
    let nodes = status.nodes.filter(|nodes| !matches!(nodes.get(), "null" | "{}"));
    match nodes {
        Some(table) => of_table(table, look),
        None if text(&status.offload_node_status_version) => {
            Err(RunError::Offloaded { name: error::shown(workflow) })
        }
        None => Ok(()),
    }
}

fn unpack(packed: &str, limit: usize) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let reader = MultiGzDecoder::new(DecoderReader::new(packed.as_bytes(), &STANDARD));
    let read = reader.take(most.saturating_add(1)).read_to_end(&mut unpacked);
    read.map_err(|e| brief(&e.to_string(), 120))?;
    if unpacked.len() > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    Ok(unpacked)
}

/// One at a time: a table is large, and its nodes are more so as values.
fn of_table(
    table: &RawValue,
    look: &mut dyn FnMut(String, Node) -> Result<(), RunError>,
) -> Result<(), RunError> {
    struct Each<'l> {
        look: &'l mut dyn FnMut(String, Node) -> Result<(), RunError>,
        failed: &'l mut Option<RunError>,
    }

    impl<'de> Visitor<'de> for Each<'_> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of nodes")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
            while let Some((id, text)) = entries.next_entry::<String, &RawValue>()? {
                let seen = shaped_owned(text.get()).and_then(|node| (self.look)(id, node));
                if let Err(error) = seen {
                    *self.failed = Some(error);
                    return Err(A::Error::custom("a node cannot be read"));
                }
            }
            Ok(())
        }
    }

    let mut failed = None;
    let mut reader = serde_json::Deserializer::from_str(table.get());
    let read = reader.deserialize_map(Each { look, failed: &mut failed });
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, read) => read.map_err(|e| RunError::malformed(&e)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_table_that_is_broken_or_never_ends_is_refused() {
        let pack = |bytes: &[u8]| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
            packer.write_all(bytes).unwrap();
            STANDARD.encode(packer.finish().unwrap())
        };
        let large = pack(&[b' '; 10_000]);
        assert_eq!(unpack(&large, 10_000).unwrap().len(), 10_000);
        unpack(&large, 9_999).unwrap_err();
        unpack("AAAA", 100).unwrap_err();
        unpack("!", 100).unwrap_err();
    }
}
