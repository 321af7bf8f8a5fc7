//! Files of workflows: by their names, all of a folder, or standard input; and one stream of
//! what becomes of them.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use argo_attest_core::inject::{MAX_FILE, Refusal};
use argo_attest_core::secret::{KeyMaterial, shown_path};

use super::{Exit, Failure, tell};
use crate::regular_file::{self, ReadError};

/// What the name of standard input is.
const STANDARD_INPUT: &str = "-";
/// How a file's name ends that is read in a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// Files that are read at once.
const MOST_FILES: usize = 10_000;
/// Bytes that are read at once.
const MOST_BYTES: usize = 16 * MAX_FILE;
/// How deep folders are looked into.
const DEEPEST: usize = 32;

/// A file that was read.
pub(super) struct Manifest {
    /// What it is called in messages.
    pub(super) name: String,
    pub(super) text: String,
}

/// Reads files, in the order in which they are given; those of a folder in the order of their
/// paths. Names in a folder that begin with a dot are passed over, links to folders too.
pub(super) fn read(given: &[PathBuf]) -> Result<Vec<Manifest>, Failure> {
    let is_input = |path: &&PathBuf| path.as_path() == Path::new(STANDARD_INPUT);
    if given.iter().filter(is_input).count() > 1 {
        return Err(Failure::new(Exit::Usage, "standard input is given more than once").remedy("give - once"));
    }
    let mut paths = Vec::new();
    for path in given {
        if !is_input(&path) && path.is_dir() {
            let before = paths.len();
            folder(path, 0, &mut paths)?;
            if paths.len() == before {
                let what = format!("{}: no *.yaml, *.yml or *.json in it", shown_path(path));
                return Err(
                    Failure::new(Exit::NoInput, what).remedy("give a folder that holds some, or a file")
                );
            }
        } else {
            paths.push(path.clone());
        }
    }
    let (mut manifests, mut left) = (Vec::new(), MOST_BYTES);
    for path in paths {
        let manifest = manifest(&path)?;
        left = left.checked_sub(manifest.text.len()).ok_or_else(|| too_many("bytes", MOST_BYTES))?;
        manifests.push(manifest);
    }
    Ok(manifests)
}

fn folder(path: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth == DEEPEST {
        return Err(too_many("levels of folders", DEEPEST));
    }
    let unreadable =
        |error| Failure::from(&ReadError::from(error)).about(&format!("cannot read {}", shown_path(path)));
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        entries.push(entry.map_err(unreadable)?);
        if entries.len() > 4 * MOST_FILES {
            return Err(too_many("names in a folder", 4 * MOST_FILES));
        }
    }
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(unreadable)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            folder(&path, depth + 1, paths)?;
        } else if path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known))
            && path.is_file()
        {
            paths.push(path);
        }
        if paths.len() > MOST_FILES {
            return Err(too_many("files", MOST_FILES));
        }
    }
    Ok(())
}

fn too_many(what: &str, most: usize) -> Failure {
    Failure::new(Exit::Data, format!("there are more than {most} {what}")).remedy("give fewer at a time")
}

fn manifest(path: &Path) -> Result<Manifest, Failure> {
    let is_input = path == Path::new(STANDARD_INPUT);
    let name = if is_input { "standard input".into() } else { shown_path(path) };
    let read = if is_input {
        if std::io::stdin().is_terminal() {
            tell("reading the workflow from standard input; -f FILE reads a file\n");
        }
        regular_file::read_all(std::io::stdin().lock(), MAX_FILE)
    } else {
        regular_file::read_named(path, MAX_FILE)
    };
    let bytes = read.map_err(|error| match error {
        ReadError::TooLarge { .. } => Failure::from(&Refusal::TooLarge { most: MAX_FILE }).about(&name),
        error => Failure::from(&error)
            .about(&format!("cannot read {name}"))
            .remedy("give a file, a folder, or - for standard input"),
    })?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::new(Exit::Data, format!("{name}: byte {at} is not UTF-8"))
            .remedy("give a file that kubectl could read")
    })?;
    // It would be printed as it is, like any document that is no workflow.
    let first =
        text.lines().map(str::trim).find(|line| !line.is_empty() && *line != "---").unwrap_or_default();
    if KeyMaterial::of(first.as_bytes()).is_some() {
        return Err(Failure::new(Exit::Data, format!("{name} holds what looks like a key, and no workflow"))
            .remedy("give a file that kubectl could read"));
    }
    Ok(Manifest { name, text })
}

/// Adds a text to a stream of documents.
pub(super) fn append(stream: &mut String, text: &str) {
    if stream.is_empty() {
        stream.push_str(text);
        return;
    }
    if !stream.ends_with(['\n', '\r']) {
        stream.push('\n');
    }
    // In the middle of a stream, it is no sign of an encoding.
    let text = text.trim_start_matches('\u{feff}');
    if !text.starts_with("---") {
        stream.push_str("---\n");
    }
    stream.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_parted_once() {
        let mut stream = String::new();
        for text in ["\u{feff}a: 1", "\u{feff}b: 2\n", "---\nc: 3\n", "{\"d\": 4}"] {
            append(&mut stream, text);
        }
        assert_eq!(stream, "\u{feff}a: 1\n---\nb: 2\n---\nc: 3\n---\n{\"d\": 4}");
    }

    #[test]
    fn folders_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a/z.json", "c.yml", "a/.hidden.yaml", "d.txt", ".git/x.yaml", "B.yaml"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        // Around in a circle.
        std::os::unix::fs::symlink(folder.path(), folder.path().join("e.yaml")).unwrap();
        let read = read(&[folder.path().to_owned()]).map_err(|_| ()).unwrap();
        let texts: Vec<_> = read.iter().map(|manifest| manifest.text.as_str()).collect();
        assert_eq!(texts, ["B.yaml", "a/z.json", "b.yaml", "c.yml"]);
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        assert!(super::read(&[folder.path().join("empty")]).is_err());
        assert!(super::read(&["-".into(), "-".into()]).is_err());
    }
}
