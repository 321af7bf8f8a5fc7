//! What a registry wants to be told of who asks (RFC 9110 section 11.6.1; OCI Distribution's
//! token authentication).

/// The most that is read of a header; registries send some hundred bytes.
const MAX_HEADER: usize = 4096;

/// A way to say who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// By user and password, with every request.
    Basic,
    /// By a token, which somebody else gives.
    Bearer {
        /// Where tokens are given.
        realm: String,
        /// For which service, as that calls it.
        service: Option<String>,
    },
}

impl Challenge {
    /// The first challenge of a `WWW-Authenticate` header that is understood; a token is
    /// preferred, since a password is then told to one server only.
    pub(super) fn of(header: &str) -> Option<Self> {
        let mut basic = None;
        for (scheme, parameters) in challenges(header.get(..MAX_HEADER).unwrap_or(header)) {
            if scheme.eq_ignore_ascii_case("bearer") {
                let value = |wanted: &str| {
                    parameters
                        .iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                        .map(|(_, v)| v.clone())
                };
                if let Some(realm) = value("realm") {
                    return Some(Self::Bearer { realm, service: value("service") });
                }
            } else if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            }
        }
        basic
    }
}

type Parameters = Vec<(String, String)>;

/// Schemes with their parameters, as far as the header is well-formed.
fn challenges(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (word, after) = token(rest);
        if word.is_empty() {
            break;
        }
        let after = after.trim_start_matches([' ', '\t']);
        rest = if let Some(value) = after.strip_prefix('=') {
            let Some((value, after)) = value_of(value.trim_start_matches([' ', '\t'])) else { break };
            if let Some((_, parameters)) = found.last_mut() {
                parameters.push((word.to_owned(), value));
            }
            after
        } else {
            found.push((word.to_owned(), Vec::new()));
            after
        };
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    found
}

fn token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = token(text);
        return Some((value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn what_registries_send_is_understood() {
        for (header, wanted) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull""#,
                Some(bearer("https://auth.docker.io/token", Some("registry.docker.io"))),
            ),
            (
                r#"Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com""#,
                Some(Challenge::Basic),
            ),
            (r#"Basic realm=x, bearer REALM = "https://a/t""#, Some(bearer("https://a/t", None))),
            (r#"BEARER realm="a\"b,c=d" , error="invalid_token""#, Some(bearer("a\"b,c=d", None))),
            ("Bearer service=x", None),
            ("Negotiate abc, Basic realm=\"r\"", Some(Challenge::Basic)),
            ("Bearer realm=\"open", None),
            ("=,,;", None),
            ("", None),
        ] {
            assert_eq!(Challenge::of(header), wanted, "{header}");
        }
    }
}
