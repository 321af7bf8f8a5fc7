//! Where a git repository says that it comes from (git-config(1), `remote.<name>.url`), as it
//! can be published: without credentials, and only if others could fetch it there.

use crate::secret::redacted;

/// Bytes that are read of a repository's configuration.
pub const CONFIG_LIMIT: usize = 1024 * 1024;
/// The longest address that is published, in bytes.
const LONGEST: usize = 2000;
/// How a repository is fetched from another machine.
const SCHEMES: [&str; 4] = ["https", "http", "ssh", "git"];

/// What a repository's configuration says, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitConfig {
    /// The address of `origin` or, if there is just one, of the other remote.
    pub remote: Option<String>,
    /// Whether it names programs that git may run to compare a file, or other files that may.
    pub names_programs: bool,
}

impl GitConfig {
    /// Reads a configuration. What is not understood is passed over.
    pub fn read(text: &str) -> Self {
        let mut names_programs = false;
        let mut remotes: Vec<(String, String)> = Vec::new();
        let mut remote = None;
        for line in text.lines().map(str::trim) {
            if let Some(header) = line.strip_prefix('[') {
                let (header, rest) = header.split_once(']').unwrap_or((header, ""));
                let (section, name) = header.split_once(' ').unwrap_or((header, ""));
                let section = section.trim().to_ascii_lowercase();
                // `include`, `includeIf`, `filter`; also in the older form `[filter.x]`.
                names_programs |= section.starts_with("include") || section.starts_with("filter");
                remote = (section == "remote").then(|| unquoted(name));
                if rest.trim().is_empty() {
                    continue;
                }
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let (Some(name), true) = (&remote, key.trim().eq_ignore_ascii_case("url")) else { continue };
            if !remotes.iter().any(|(known, _)| known == name) {
                remotes.push((name.clone(), unquoted(value)));
            }
        }
        let origin = remotes.iter().find(|(name, _)| name == "origin");
        let chosen = origin.or_else(|| remotes.first().filter(|_| remotes.len() == 1));
        Self { remote: chosen.and_then(|(_, url)| published(url)), names_programs }
    }
}

/// A value without its comment and quotes.
fn unquoted(text: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut characters = text.trim().chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' => out.extend(characters.next()),
            '#' | ';' if !quoted => break,
            c => out.push(c),
        }
    }
    out.trim_end().to_owned()
}

/// The address without who fetches and how they prove it; `None` if it leads to no other
/// machine, or may hold something else that is nobody's affair.
fn published(url: &str) -> Option<String> {
    let (scheme, rest) = if let Some((scheme, rest)) = url.split_once("://") {
        (scheme.to_ascii_lowercase(), rest.to_owned())
    } else {
        // `user@host:path`, as ssh has it; before a slash it is a path of this machine, and a
        // letter alone is a drive.
        let (host, path) = url.split_once(':').filter(|(host, _)| !host.contains('/') && host.len() > 1)?;
        ("ssh".to_owned(), format!("{host}/{}", path.trim_start_matches('/')))
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit('@').next().unwrap_or_default();
    let url = format!("{scheme}://{host}/{path}");
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && url.len() <= LONGEST;
    let is_published = SCHEMES.contains(&scheme.as_str()) && !host.is_empty() && !path.is_empty();
    (is_published && plain && redacted(&url) == url).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Option<String> {
        GitConfig::read(&format!(
            "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n\tfetch = +x\n"
        ))
        .remote
    }

    #[test]
    fn what_is_published_has_no_credentials() {
        for (url, published) in [
            ("https://github.com/o/r.git", Some("https://github.com/o/r.git")),
            ("https://me:s3cret@h.example:8443/o/r.git", Some("https://h.example:8443/o/r.git")),
            ("https://ghp_token@github.com/o/r", Some("https://github.com/o/r")),
            ("https://a@b:c@h.example/r", Some("https://h.example/r")),
            ("https://h.example/r?private_token=x#y", Some("https://h.example/r")),
            ("git@github.com:o/r.git", Some("ssh://github.com/o/r.git")),
            ("SSH://git@h.example/o/r.git", Some("ssh://h.example/o/r.git")),
            ("\"https://h.example/o/r\" ; mine", Some("https://h.example/o/r")),
            ("/srv/git/r.git", None),
            ("../r.git", None),
            ("./a:b", None),
            ("C:/r.git", None),
            ("file:///srv/r.git", None),
            ("ext::sh -c x", None),
            ("https:///r", None),
            ("https://h.example/a b", None),
            ("", None),
        ] {
            assert_eq!(of(url).as_deref(), published, "{url}");
        }
    }

    #[test]
    fn origin_or_the_only_one() {
        let remote = |text: &str| GitConfig::read(text).remote;
        let one = "[remote \"up\"]\nurl=https://h/up\n";
        let two = "[remote \"fork\"]\nurl=https://h/fork\nurl=https://h/second\n";
        assert_eq!(remote(one).as_deref(), Some("https://h/up"));
        assert_eq!(remote(&format!("{one}{two}")), None);
        assert_eq!(
            remote(&format!("{one}{two}[Remote \"origin\"]\nURL = https://h/o")).as_deref(),
            Some("https://h/o")
        );
        assert_eq!(remote("[branch \"x\"]\nurl = https://h/x\n[remote"), None);
    }

    #[test]
    fn programs_are_noticed() {
        for text in ["[filter \"lfs\"]\nclean = x", "[include]\npath = x", " [IncludeIf \"x\"]", "[filter.x]"]
        {
            assert!(GitConfig::read(text).names_programs, "{text}");
        }
        assert!(!GitConfig::read("[core]\nx = [filter]").names_programs);
    }
}
