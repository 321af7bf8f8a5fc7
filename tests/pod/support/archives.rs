//! Archives as Argo writes them.

use std::io::Write as _;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

/// Names and contents; a name that ends in `/` is an empty directory's.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Paths and targets of symbolic links.
pub(crate) type Links = Vec<(String, String)>;

/// A gzipped tar, with an entry for each directory before what is in it.
pub(crate) fn tgz(files: &Files, links: &Links) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut directories = Vec::new();
    for (name, content) in files {
        for (at, _) in name.match_indices('/') {
            let directory = &name[..at];
            if !directories.contains(&directory) {
                directories.push(directory);
                let mut header = tar::Header::new_ustar();
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                tar.append_data(&mut header, format!("{directory}/"), &[][..]).unwrap();
            }
        }
        if name.ends_with('/') {
            continue;
        }
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    for (name, target) in links {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        tar.append_link(&mut header, name, target).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A zip as Go's writer streams it: sizes and checksum follow each entry. Argo has none for a
/// directory.
pub(crate) fn zip(files: &Files) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    let files: Vec<_> = files.iter().filter(|(name, _)| !name.ends_with('/')).collect();
    for (name, content) in &files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(content);
        let offset = length(&bytes);
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let sizes = [crc.sum(), length(&packed), length(content)].map(u32::to_le_bytes).concat();
        // Version, flags (sizes follow), deflate, no time.
        let common = [&[20, 0, 8, 0, 8, 0, 0, 0, 0, 0][..]].concat();

        bytes.extend(0x0403_4b50_u32.to_le_bytes());
        bytes.extend(&common);
        bytes.extend([0; 12]);
        bytes.extend(name_length);
        bytes.extend([0; 2]);
        bytes.extend(name.as_bytes());
        bytes.extend(&packed);
        bytes.extend(0x0807_4b50_u32.to_le_bytes());
        bytes.extend(&sizes);

        directory.extend(0x0201_4b50_u32.to_le_bytes());
        directory.extend([20, 0]);
        directory.extend(&common);
        directory.extend(&sizes);
        directory.extend(name_length);
        directory.extend([0; 12]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let entries = u16::try_from(files.len()).unwrap().to_le_bytes();
    let start = length(&bytes);
    bytes.extend(&directory);
    bytes.extend(0x0605_4b50_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend([entries, entries].concat());
    bytes.extend(length(&directory).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn length(bytes: &[u8]) -> u32 {
    bytes.len().try_into().unwrap()
}
