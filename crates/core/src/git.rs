//! Which commit a staged git repository is at, read from its own files without git
//! (gitrepository-layout(5): `HEAD`, loose refs, `packed-refs`).
//!
//! It is what the repository says of itself: nobody signed it, and that the files of
//! the work tree are those of the commit is not checked.

use crate::relpath::RelPath;

/// Bytes that are read of `HEAD` and of a ref.
pub const REF_LIMIT: u64 = 4096;
/// Bytes that are read of `packed-refs`.
pub const PACKED_LIMIT: u64 = 16 * 1024 * 1024;
/// Refs that lead to refs; git's own bound (`SYMREF_MAXDEPTH`).
const MAX_DEPTH: usize = 5;

/// Why the commit is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// Not a repository with a work tree.
    #[error("what is staged has no .git/HEAD")]
    NoHead,
    /// A ref that is nowhere: an empty repository.
    #[error("the staged repository has no commit: {0} does not exist")]
    NoCommit(String),
    /// Something else than git writes.
    #[error("the staged repository's {0} is not one that git writes")]
    Malformed(String),
}

/// What a revision in a template says of the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// Nothing: a branch or a tag, which may be at any commit.
    None,
    /// It begins with these digits, in lower case: it is named by them.
    Commit(String),
    /// It is named by one that others lead to, and that takes git to tell.
    Derived,
}

/// The fewest digits that git takes for a commit (`core.abbrev` in git-config(1)).
const SHORTEST: usize = 4;

impl Pin {
    /// Reads a revision. What looks like a commit is one: a tag of such a name has to be given
    /// as `refs/tags/…`.
    pub fn of(revision: &str) -> Self {
        let revision = revision.trim();
        if let Some(digits) = described(revision) {
            return Self::Commit(digits.to_ascii_lowercase());
        }
        let digits = revision.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(revision.len());
        let (name, rest) = revision.split_at(digits);
        match rest.chars().next() {
            _ if name.len() < SHORTEST => Self::None,
            None => Self::Commit(name.to_ascii_lowercase()),
            // gitrevisions(7): what follows a commit and leads to another one.
            Some('^' | '~' | '@' | ':') => Self::Derived,
            Some(_) => Self::None,
        }
    }

    /// Whether this may be the commit, 40 digits in lower case.
    pub fn admits(&self, commit: &str) -> bool {
        match self {
            Self::None => true,
            Self::Commit(digits) => commit.starts_with(digits.as_str()),
            Self::Derived => false,
        }
    }
}

/// The digits in what `git describe` writes: `TAG-COMMITS-gDIGITS` (gitrevisions(7)).
fn described(revision: &str) -> Option<&str> {
    let (before, digits) = revision.rsplit_once("-g")?;
    let (_, commits) = before.rsplit_once('-')?;
    let is_all = |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| is(&b));
    let named = is_all(commits, u8::is_ascii_digit) && is_all(digits, u8::is_ascii_hexdigit);
    (named && digits.len() >= SHORTEST).then_some(digits)
}

/// Finds the commit: 40 lower-case hexadecimal digits. `read` gives at most so many
/// bytes of a file of the repository, `None` if it is not there.
pub fn commit<E: From<GitError>>(
    mut read: impl FnMut(&RelPath, u64) -> Result<Option<Vec<u8>>, E>,
) -> Result<String, E> {
    let malformed = |name: &str| GitError::Malformed(name.to_owned());
    let mut name = "HEAD".to_owned();
    for _ in 0..=MAX_DEPTH {
        let path = in_git(&name).ok_or_else(|| malformed("HEAD"))?;
        let Some(text) = read(&path, REF_LIMIT + 1)? else {
            if name == "HEAD" {
                return Err(GitError::NoHead.into());
            }
            return packed(&name, &mut read);
        };
        let text = text_of(text, REF_LIMIT).ok_or_else(|| malformed(&name))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        if is_commit(line) {
            return Ok(line.to_owned());
        }
        let target = line.strip_prefix("ref:").map(|rest| rest.trim_start_matches([' ', '\t']));
        name = target.filter(|t| t.starts_with("refs/")).ok_or_else(|| malformed(&name))?.to_owned();
    }
    Err(malformed(&name).into())
}

fn packed<E: From<GitError>>(
    name: &str,
    read: &mut impl FnMut(&RelPath, u64) -> Result<Option<Vec<u8>>, E>,
) -> Result<String, E> {
    let malformed = || GitError::Malformed("packed-refs".into());
    let path = in_git("packed-refs").ok_or_else(malformed)?;
    let Some(bytes) = read(&path, PACKED_LIMIT + 1)? else {
        return Err(GitError::NoCommit(shown(name)).into());
    };
    let text = text_of(bytes, PACKED_LIMIT).ok_or_else(malformed)?;
    // `#` begins the header, `^` what the tag of the line before points to.
    for line in text.lines().filter(|line| !line.starts_with(['#', '^'])) {
        let (id, packed) = line.split_once(' ').ok_or_else(malformed)?;
        if packed == name {
            return if is_commit(id) { Ok(id.to_owned()) } else { Err(malformed().into()) };
        }
    }
    Err(GitError::NoCommit(shown(name)).into())
}

fn in_git(name: &str) -> Option<RelPath> {
    RelPath::from_bytes(format!(".git/{name}").as_bytes()).ok()
}

fn text_of(bytes: Vec<u8>, limit: u64) -> Option<String> {
    String::from_utf8(bytes).ok().filter(|text| u64::try_from(text.len()).is_ok_and(|len| len <= limit))
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn shown(name: &str) -> String {
    crate::text::brief(name, 200)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const A: &str = "0123456789abcdef0123456789abcdef01234567";
    const B: &str = "76543210fedcba9876543210fedcba9876543210";

    fn at(files: &[(&str, &str)]) -> Result<String, GitError> {
        let files: HashMap<_, _> = files.iter().copied().collect();
        commit(|path, limit| {
            let text = files.get(path.escaped().strip_prefix(".git/").unwrap());
            Ok(text.map(|text| text.bytes().take(usize::try_from(limit).unwrap()).collect()))
        })
    }

    #[test]
    fn finds_the_commit_as_git_does() {
        let head = "ref: refs/heads/main\n";
        let packed = format!(
            "# pack-refs with: peeled fully-peeled sorted \n{B} refs/heads/main\n{A} refs/tags/v1\n^{B}\n"
        );
        assert_eq!(at(&[("HEAD", &format!("{A}\n"))]).unwrap(), A);
        assert_eq!(at(&[("HEAD", head), ("refs/heads/main", A), ("packed-refs", &packed)]).unwrap(), A);
        assert_eq!(at(&[("HEAD", head), ("packed-refs", &packed)]).unwrap(), B);
        let symbolic = [("HEAD", head), ("refs/heads/main", "ref: refs/heads/x"), ("refs/heads/x", A)];
        assert_eq!(at(&symbolic).unwrap(), A);
    }

    /// Commits in every spelling, and names that are none.
    #[test]
    fn a_commit_is_one_in_any_spelling() {
        let spellings = [
            A.to_owned(),
            A.to_uppercase(),
            format!(" {A}\n"),
            format!("{}{}", &A[..20], A[20..].to_uppercase()),
        ];
        for spelling in spellings.iter().map(String::as_str).chain((7..40).map(|length| &A[..length])) {
            let pin = Pin::of(spelling);
            assert!(pin.admits(A) && !pin.admits(B), "{spelling:?}: {pin:?}");
        }
        for longer in [format!("{A}0"), A.repeat(2)] {
            assert!(!Pin::of(&longer).admits(A), "{longer}");
        }
        for derived in ["^", "~1", "^{commit}", "^{}", "@{1}", ":path", "~0"] {
            for commit in [A, &A[..7]] {
                assert_eq!(Pin::of(&format!("{commit}{derived}")), Pin::Derived, "{derived}");
            }
        }
        let described = Pin::of(&format!("v1.2-rc-3-14-g{}", &A[..7]));
        assert!(described.admits(A) && !described.admits(B), "{described:?}");
        for name in ["v1-3-gdea", "v1-gdeadbee", "v1-3-gdeadbeex", "v1--gdeadbee", "3-gdeadbee"] {
            assert_eq!(Pin::of(name), Pin::None, "{name}");
        }
        let tag = format!("refs/tags/{A}");
        for name in
            ["", "main", "v1.2", "dea", "feature/abc", "cafebabe-fix", "0123456x", "refs/heads/main", &tag]
        {
            assert_eq!(Pin::of(name), Pin::None, "{name}");
        }
    }

    #[test]
    fn refuses_what_is_no_repository() {
        let head = "ref: refs/heads/main\n";
        assert_eq!(at(&[]), Err(GitError::NoHead));
        assert_eq!(at(&[("HEAD", head)]), Err(GitError::NoCommit("refs/heads/main".into())));
        assert_eq!(
            at(&[("HEAD", head), ("packed-refs", "")]),
            Err(GitError::NoCommit("refs/heads/main".into()))
        );
        let head_is = |text: &str| at(&[("HEAD", text)]);
        let malformed = |name: &str| Err(GitError::Malformed(name.into()));
        for text in ["", "ref: /etc/passwd", "ref: refs/../../x", "gitdir: ../x", "ref: HEAD", &A[1..], "\0"]
        {
            assert_eq!(head_is(text), malformed("HEAD"), "{text:?}");
        }
        assert_eq!(head_is(&format!("{A}{}", " ".repeat(5000))), malformed("HEAD"));
        assert_eq!(at(&[("HEAD", head), ("refs/heads/main", head)]), malformed("refs/heads/main"));
        assert_eq!(at(&[("HEAD", head), ("packed-refs", "x")]), malformed("packed-refs"));
        assert_eq!(at(&[("HEAD", head), ("packed-refs", "x refs/heads/main")]), malformed("packed-refs"));
    }
}
