//! How a statement names the files of a directory: the directory's subject name,
//! `/`, and the file's path in its printable form. `.` is the directory that has
//! no name, and is left out.

use crate::relpath::RelPath;

/// The subject name of a file in a directory.
pub fn member_name(directory: &str, path: &RelPath) -> String {
    if directory == "." { path.escaped() } else { format!("{directory}/{}", path.escaped()) }
}

/// The path of a file in a directory, from the file's subject name.
pub fn member_path(directory: &str, name: &str) -> Option<RelPath> {
    let path = match directory {
        "." => name,
        _ => name.strip_prefix(directory)?.strip_prefix('/')?,
    };
    RelPath::from_escaped(path).ok().filter(|p| !p.is_root())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_members_have_a_path() {
        assert_eq!(member_path("out", "out/a/b"), RelPath::from_bytes(b"a/b").ok());
        assert_eq!(member_path(".", "a/b"), RelPath::from_bytes(b"a/b").ok());
        for other in ["out", "out/", "outer/a", "a/b", "out/../a", "out//a"] {
            assert_eq!(member_path("out", other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_name_gives_back_its_path(directory in "[a-z/.]{1,9}", bytes in proptest::collection::vec(1u8.., 1..30)) {
            if let Ok(path) = RelPath::from_bytes(&bytes) {
                prop_assert_eq!(member_path(&directory, &member_name(&directory, &path)), Some(path));
            }
        }
    }
}
