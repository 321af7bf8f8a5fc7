//! Builds gzipped tars, honest and not.

use std::io::Write as _;

use ::tar::{EntryType, Header};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A tar in the making. The headers come from the `tar` crate, which writes names
/// only if they are safe: so names are put in by hand.
#[derive(Default)]
pub(super) struct Tarball(pub(super) Vec<u8>);

impl Tarball {
    pub(super) fn header(name: &[u8], kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name);
        header.set_cksum();
        header
    }

    pub(super) fn raw(mut self, header: &Header, content: &[u8]) -> Self {
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn entry(self, name: &[u8], kind: EntryType, content: &[u8]) -> Self {
        self.raw(&Self::header(name, kind, content.len() as u64), content)
    }

    pub(super) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name.as_bytes(), EntryType::Regular, content)
    }

    pub(super) fn directory(self, name: &str) -> Self {
        self.entry(name.as_bytes(), EntryType::Directory, b"")
    }

    pub(super) fn link(self, name: &[u8], target: &[u8]) -> Self {
        let mut header = Self::header(name, EntryType::Symlink, 0);
        header.as_ustar_mut().unwrap().linkname[..target.len()].copy_from_slice(target);
        header.set_cksum();
        self.raw(&header, b"")
    }

    pub(super) fn pax(self, records: &[u8]) -> Self {
        self.entry(b"PaxHeaders.0/x", EntryType::XHeader, records)
    }

    /// A file whose name is in a PAX record.
    pub(super) fn long(self, name: &[u8], content: &[u8]) -> Self {
        let name = pax_record("path", name);
        self.pax(&name).entry(b"short", EntryType::Regular, content)
    }

    /// With the two zero blocks that end a tar, gzipped.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        gzip(&self.0)
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (1..20)
        .map(|digits| rest + digits)
        .find(|length| length.to_string().len() + rest == *length)
        .unwrap();
    [length.to_string().as_bytes(), b" ", key.as_bytes(), b"=", value, b"\n"].concat()
}
