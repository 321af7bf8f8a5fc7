//! Files in which builders leave the digest of what they pushed.
//!
//! kaniko's `--digest-file`, `--image-name-with-digest-file` and `--image-name-tag-with-digest-file`,
//! buildah's `--digestfile` and crane write lines of text; buildkit's `--metadata-file` is a JSON
//! object with `containerimage.digest`.

use serde::Deserialize;

use super::ImageReference;
use crate::digest::Sha256Digest;
use crate::json;

/// Bytes of such a file.
pub const MAX_DIGEST_FILE: usize = 64 * 1024;

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "containerimage.digest", default, deserialize_with = "json::or_unset")]
    digest: String,
}

/// Whether a file says that the image has this digest: in a line of its own, alone or after the
/// image's name, or as buildkit has it.
pub fn tells_digest(file: &[u8], image: &ImageReference, digest: Sha256Digest) -> bool {
    if file.len() > MAX_DIGEST_FILE {
        return false;
    }
    // Made once: a file may have as many lines as bytes.
    let known = lines(image, digest);
    let is_line = |line: &str| known.iter().any(|known| known == line);
    if std::str::from_utf8(file).is_ok_and(|text| text.lines().any(|line| is_line(line.trim()))) {
        return true;
    }
    let metadata = json::parse::<Metadata>(file, MAX_DIGEST_FILE);
    metadata.is_ok_and(|metadata| metadata.digest == format!("sha256:{digest}"))
}

/// What [`tells_digest`] takes of a file of one line, as digests of the whole file: where only
/// those are known.
pub fn digests_of_files(image: &ImageReference, digest: Sha256Digest) -> Vec<Sha256Digest> {
    let ended = |line: String| [format!("{line}\n"), line];
    lines(image, digest).into_iter().flat_map(ended).map(|text| Sha256Digest::of(text.as_bytes())).collect()
}

fn lines(image: &ImageReference, digest: Sha256Digest) -> Vec<String> {
    let repository = image.repository();
    let mut lines =
        vec![digest.to_string(), format!("sha256:{digest}"), format!("{repository}@sha256:{digest}")];
    lines.extend(image.tag().map(|tag| format!("{repository}:{tag}@sha256:{digest}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_builders_write_is_understood() {
        let image: ImageReference = "r.example/app:1".parse().unwrap();
        let digest = Sha256Digest::of(b"x");
        let other = Sha256Digest::of(b"y");
        for text in [
            format!("{digest}"),
            format!("sha256:{digest}"),
            format!("sha256:{digest}\r\n"),
            format!("r.example/app@sha256:{digest}\n"),
            format!("r.example/other@sha256:{other}\nr.example/app:1@sha256:{digest}\n"),
            format!(r#"{{"containerimage.digest":"sha256:{digest}","buildx.build.ref":"x/y/z"}}"#),
        ] {
            assert!(tells_digest(text.as_bytes(), &image, digest), "{text}");
            assert!(!tells_digest(text.as_bytes(), &image, Sha256Digest::of(b"z")), "{text}");
        }
        for text in [
            String::new(),
            format!("sha512:{digest}"),
            format!("r.example/other@sha256:{digest}"),
            format!("r.example/app:2@sha256:{digest}"),
            format!("see sha256:{digest}"),
            format!(r#"{{"digest":"sha256:{digest}"}}"#),
            format!("sha256:{digest}\n{}", "x".repeat(MAX_DIGEST_FILE)),
        ] {
            assert!(!tells_digest(text.as_bytes(), &image, digest), "{text}");
        }
        assert!(!tells_digest(b"\xff\xfe", &image, digest));
    }

    /// Files and images are many, and the grace period is short.
    #[test]
    fn a_file_of_empty_lines_takes_no_time() {
        let image: ImageReference = "r.example/app:1".parse().unwrap();
        let (file, digest) = (vec![b'\n'; MAX_DIGEST_FILE], Sha256Digest::of(b"x"));
        let begun = std::time::Instant::now();
        for _ in 0..64 {
            assert!(!tells_digest(&file, &image, digest));
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn one_line_is_known_by_the_files_digest() {
        let image: ImageReference = "r.example/app:1".parse().unwrap();
        let digest = Sha256Digest::of(b"x");
        let known = digests_of_files(&image, digest);
        for text in [format!("sha256:{digest}"), format!("r.example/app@sha256:{digest}\n")] {
            assert!(known.contains(&Sha256Digest::of(text.as_bytes())), "{text}");
        }
        assert!(!known.contains(&Sha256Digest::of(b"")));
    }
}
