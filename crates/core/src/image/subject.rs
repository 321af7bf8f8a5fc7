//! What a statement about an image speaks of: the manifest that the image is named by and,
//! of an index, each of its images.

use super::{Manifest, ManifestKind, Platform};
use crate::digest::Sha256Digest;
use crate::intoto::{MAX_SUBJECTS, ResourceDescriptor};
use crate::text::brief;

/// What a subject's platform is called among its annotations.
const PLATFORM: &str = "platform";

/// One manifest of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSubject {
    /// Its digest.
    pub digest: Sha256Digest,
    /// Which kind it is.
    pub kind: ManifestKind,
    /// Its bytes, as far as an index says it.
    pub size: u64,
    /// What it runs on, where an index says it.
    pub platform: Option<Platform>,
}

/// Why no statement can speak of all of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnnamedImage {
    /// An image of the index has a digest that nothing here checks.
    #[error("its index lists {digest}, which is no SHA-256")]
    Digest {
        /// The digest; short and printable.
        digest: String,
    },
    /// More images than a statement has subjects.
    #[error("its index lists more than {} images", MAX_SUBJECTS - 1)]
    TooMany,
}

impl Manifest {
    /// The manifests that a statement about this image names: this one and, of an index, its
    /// images. What an index lists for no platform, and what is no manifest, is no image.
    pub fn subjects(&self) -> Result<(ImageSubject, Vec<ImageSubject>), UnnamedImage> {
        let whole =
            ImageSubject { digest: self.digest(), kind: self.kind(), size: self.size(), platform: None };
        let mut images: Vec<ImageSubject> = Vec::new();
        for entry in self.index().into_iter().flat_map(super::Index::images) {
            let Some(kind) = ManifestKind::of(&entry.media_type) else { continue };
            let digest = entry
                .digest
                .sha256()
                .ok_or_else(|| UnnamedImage::Digest { digest: entry.digest.to_string() })?;
            // Indexes list an image twice that runs on two variants.
            if images.iter().any(|known| known.digest == digest) {
                continue;
            }
            if images.len() + 1 == MAX_SUBJECTS {
                return Err(UnnamedImage::TooMany);
            }
            images.push(ImageSubject { digest, kind, size: entry.size, platform: entry.platform.clone() });
        }
        Ok((whole, images))
    }
}

impl ImageSubject {
    /// Its platform as it is told; short and printable.
    pub fn platform(&self) -> Option<String> {
        self.platform.as_ref().map(|platform| brief(&platform.to_string(), 100))
    }

    /// As a statement names it. Whose repository it is in is its name: it has no other that
    /// does not move.
    pub(crate) fn descriptor(&self, name: &str) -> ResourceDescriptor {
        let mut subject = ResourceDescriptor {
            media_type: self.kind.media_type().to_owned(),
            ..ResourceDescriptor::named(name, self.digest)
        };
        subject.annotations.extend(
            self.platform().map(|platform| (PLATFORM.to_owned(), serde_json::Value::String(platform))),
        );
        subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(digest: &str, more: &str) -> String {
        let kind = ManifestKind::OciImage.media_type();
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":3{more}}}"#)
    }

    fn hex(of: usize) -> String {
        format!("sha256:{}", Sha256Digest::of(of.to_string().as_bytes()))
    }

    fn index(entries: &[String]) -> Manifest {
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
        Manifest::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_index_and_each_of_its_images_once() {
        let amd = r#","platform":{"os":"linux","architecture":"amd64"}"#;
        let odd = r#","platform":{"os":"li\u001bnux","architecture":"amd64"}"#;
        let said = r#","platform":{"os":"unknown","architecture":"unknown"}"#;
        let index = index(&[
            entry(&hex(1), amd),
            entry(&hex(1), odd),
            entry(&hex(2), odd),
            entry(&hex(3), said),
            entry(&hex(4), "").replace("manifest.v1", "layer.v1"),
            entry(&hex(5), ""),
        ]);
        let (whole, images) = index.subjects().unwrap();
        assert_eq!(
            whole,
            ImageSubject {
                digest: index.digest(),
                kind: ManifestKind::OciIndex,
                size: index.size(),
                platform: None
            }
        );
        let told: Vec<_> = images
            .iter()
            .map(|s| (format!("sha256:{}", s.digest), s.platform().unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                (hex(1), "linux/amd64".to_owned()),
                (hex(2), "li%1Bnux/amd64".to_owned()),
                (hex(5), String::new())
            ]
        );
        let named = images[0].descriptor("r.example/a");
        assert_eq!((named.name.as_str(), named.uri.as_str()), ("r.example/a", ""));
        assert_eq!(named.annotations["platform"], "linux/amd64");
        assert!(whole.descriptor("r.example/a").annotations.is_empty());
    }

    #[test]
    fn what_no_statement_can_name_is_refused() {
        let other = index(&[entry("sha512:00", "")]);
        assert!(matches!(other.subjects(), Err(UnnamedImage::Digest { .. })));
        let most: Vec<_> = (0..MAX_SUBJECTS - 1).map(|n| entry(&hex(n), "")).collect();
        assert_eq!(index(&most).subjects().unwrap().1.len(), MAX_SUBJECTS - 1);
        let more: Vec<_> = (0..MAX_SUBJECTS).map(|n| entry(&hex(n), "")).collect();
        assert_eq!(index(&more).subjects(), Err(UnnamedImage::TooMany));
    }
}
