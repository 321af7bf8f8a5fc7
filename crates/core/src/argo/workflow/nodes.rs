//! The Workflow's table of nodes, which the controller writes.
//!
//! Small tables stand in `status.nodes`. Above 1 MiB Argo packs them
//! (workflow/packer), and with `nodeStatusOffLoad` it keeps them in a database and
//! nothing but a version stays here.

use std::io::{self, Read};

use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use flate2::read::MultiGzDecoder;

use super::error::WorkflowError;
use super::lookup;
use super::wire::{Node, Status};
use crate::text::brief;

/// More than any table that Argo can pack into an object of the API server's limit
/// (1.5 MiB), at the rate at which such tables compress.
const UNPACKED_LIMIT: u64 = 64 * 1024 * 1024;

/// Where the table is.
pub(super) enum Nodes<'a> {
    /// In the Workflow, as JSON.
    Plain(&'a str),
    /// In the Workflow, packed: base64 of gzip.
    Packed(&'a str),
    /// In a database.
    Elsewhere,
}

impl<'a> Nodes<'a> {
    pub(super) fn of(status: &'a Status<'_>) -> Self {
        let text =
            |text: &'a Option<std::borrow::Cow<'_, str>>| text.as_deref().filter(|text| !text.is_empty());
        if let Some(packed) = text(&status.compressed_nodes) {
            return Self::Packed(packed);
        }
        let nodes = status
            .nodes
            .map(serde_json::value::RawValue::get)
            .filter(|nodes| !matches!(*nodes, "null" | "{}"));
        match (nodes, text(&status.offload_node_status_version)) {
            (None, Some(_)) => Self::Elsewhere,
            (nodes, _) => Self::Plain(nodes.unwrap_or("{}")),
        }
    }

    /// The node of this id, if the table has it.
    pub(super) fn find(&self, id: &str) -> Result<Option<Node>, WorkflowError> {
        match self {
            Self::Plain(table) => Ok(lookup::member(table, id)?),
            Self::Packed(packed) => find_packed(packed, id, UNPACKED_LIMIT),
            Self::Elsewhere => Ok(None),
        }
    }
}

fn find_packed(packed: &str, id: &str, limit: u64) -> Result<Option<Node>, WorkflowError> {
    let unpacked = MultiGzDecoder::new(DecoderReader::new(packed.as_bytes(), &STANDARD));
    lookup::member_of_stream(io::BufReader::new(unpacked.take(limit)), id)
        .map_err(|error| WorkflowError::Nodes { why: brief(&error.to_string(), 120) })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use base64::Engine;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn pack(text: &[u8]) -> String {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text).unwrap();
        STANDARD.encode(packer.finish().unwrap())
    }

    fn status(text: &str) -> Status<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn finds_a_node_plain_or_packed() {
        let table = r#"{"a":{"name":"x","type":"Retry"},"b":{"name":"y","type":"Pod"}}"#;
        let plain = format!(r#"{{"nodes":{table}}}"#);
        let packed =
            format!(r#"{{"compressedNodes":"{}","offloadNodeStatusVersion":""}}"#, pack(table.as_bytes()));
        for text in [&plain, &packed] {
            let status = status(text);
            let nodes = Nodes::of(&status);
            let node = nodes.find("b").unwrap().unwrap();
            assert_eq!((node.name.as_str(), node.kind.as_str()), ("y", "Pod"));
            assert!(nodes.find("c").unwrap().is_none());
        }
        assert!(Nodes::of(&status("{}")).find("a").unwrap().is_none());
        for elsewhere in
            [r#"{"offloadNodeStatusVersion":"fnv:1"}"#, r#"{"nodes":{},"offloadNodeStatusVersion":"fnv:1"}"#]
        {
            assert!(matches!(Nodes::of(&status(elsewhere)), Nodes::Elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn refuses_a_table_that_is_broken_or_never_ends() {
        let large = pack(format!("{{{}}}", " ".repeat(100_000)).as_bytes());
        assert!(find_packed(&large, "a", 100_002).unwrap().is_none());
        for (packed, limit) in [(large.as_str(), 100_001), (&pack(b"{"), 100), ("AAAA", 100), ("!", 100)] {
            let error = find_packed(packed, "a", limit).map(|_| ()).unwrap_err();
            assert!(matches!(error, WorkflowError::Nodes { .. }), "{error}");
        }
    }
}
