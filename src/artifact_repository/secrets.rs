//! The files that a template's secret selectors stand for.

use std::path::{Path, PathBuf};

use argo_attest_core::argo::SecretKey;
use argo_attest_core::object_name::{is_key_name, is_object_name};
use argo_attest_core::text::brief;

use super::StoresError;

/// The file that a selector stands for, which is always two names beneath the folder of
/// Secrets: the selector is text of the template.
pub(super) fn file(secrets: &Path, selector: &'static str, key: &SecretKey) -> Result<PathBuf, StoresError> {
    let named = |name: &str, what, is: fn(&str) -> bool| {
        if is(name) { Ok(()) } else { Err(StoresError::Selector { selector, name: brief(name, 300), what }) }
    };
    named(&key.name, "name of a Secret", is_object_name)?;
    named(&key.key, "key of a Secret", is_key_name)?;
    Ok(secrets.join(&key.name).join(&key.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(name: &str, key: &str) -> SecretKey {
        SecretKey { name: name.to_owned(), key: key.to_owned() }
    }

    #[test]
    fn a_selector_stays_in_its_folder() {
        let secrets = Path::new("/argo/secret");
        let found = file(secrets, "accessKeySecret", &selector("s3-credentials", "access.key_ID")).unwrap();
        assert_eq!(found, Path::new("/argo/secret/s3-credentials/access.key_ID"));
        let long = "a".repeat(254);
        let nowhere = [
            "",
            ".",
            "..",
            "../..",
            "../../etc",
            "/etc",
            "/",
            "a/b",
            "a/",
            "/a",
            "a/../b",
            "./a",
            "..data",
            "..2026_11_25",
            "a\0b",
            "a b",
            "a\n",
            "a\u{202e}b",
            "%2e%2e",
            "é",
            "~",
            "$HOME",
            &long,
        ];
        for bad in nowhere {
            for (selector, what) in [(selector(bad, "key"), "name"), (selector("name", bad), "key")] {
                let error = file(secrets, "caSecret", &selector).unwrap_err();
                let told = error.to_string();
                assert!(
                    told.contains("caSecret") && told.contains(&format!("is no {what} of a Secret")),
                    "{told}"
                );
                assert!(!told.contains(['\n', '\u{202e}', '\0']) && told.len() < 500, "{told:?}");
            }
        }
        // A Secret's name has no capitals and no underscore; a key may have both.
        file(secrets, "caSecret", &selector("Name", "key")).unwrap_err();
        file(secrets, "caSecret", &selector("na_me", "key")).unwrap_err();
    }
}
