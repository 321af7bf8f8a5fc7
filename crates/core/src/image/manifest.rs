//! An image's manifest, or the index of the manifests of one image for several platforms
//! (OCI Image 1.1, "Image Manifest" and "Image Index"; Docker's schema 2 of the same).

use serde::Deserialize;

use super::{BlobDigest, Descriptor, Platform};
use crate::digest::Sha256Digest;
use crate::json::{self, AtMost, JsonError, Object, Opaque};
use crate::text::brief;

/// Bytes of a manifest that are read: what registries must take, and no more is in use
/// (OCI Distribution 1.1, "Pushing Manifests").
pub const MAX_MANIFEST: usize = 4 * 1024 * 1024;
/// Layers of an image, and images of an index. Images have at most 127 layers where they run.
const MAX_ENTRIES: usize = 1024;

/// Which of the two it is, and in whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManifestKind {
    /// `application/vnd.oci.image.manifest.v1+json`.
    OciImage,
    /// `application/vnd.oci.image.index.v1+json`.
    OciIndex,
    /// `application/vnd.docker.distribution.manifest.v2+json`.
    DockerImage,
    /// `application/vnd.docker.distribution.manifest.list.v2+json`.
    DockerIndex,
}

/// One image: what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its configuration.
    pub config: Descriptor,
    /// Its layers, or what else it carries, in order.
    pub layers: Vec<Descriptor>,
    /// What kind of artifact it is, if it is no image to run.
    pub artifact_type: String,
    /// Which other manifest it says something of.
    pub subject: Option<Descriptor>,
}

/// One image for several platforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its manifests, in order.
    pub manifests: Vec<Descriptor>,
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Image(Box<Image>),
    Index(Index),
}

/// A manifest, and the digest of the bytes that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    kind: ManifestKind,
    digest: Sha256Digest,
    size: u64,
    said: Said,
}

/// Why bytes are no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// No JSON, or not of a manifest's shape.
    #[error("it is no image manifest: {0}")]
    Json(#[from] JsonError),
    /// Docker's first schema, which holds no digests of what is pushed today.
    #[error("it is a manifest of Docker's schema 1, which nothing writes any more")]
    Schema1,
    /// Both an image and an index, which two readers would read in two ways.
    #[error("it is an image and an index at once")]
    Both,
    /// Neither.
    #[error("it is neither an image nor an index of images")]
    Neither,
    /// It says that it is something else.
    #[error("it says that it is {said}, and is not")]
    MediaType {
        /// What it says; short and printable.
        said: String,
    },
}

impl ManifestKind {
    /// All of them, in the order in which they are asked for.
    pub const ALL: [Self; 4] = [Self::OciIndex, Self::OciImage, Self::DockerIndex, Self::DockerImage];

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::OciImage => "application/vnd.oci.image.manifest.v1+json",
            Self::OciIndex => "application/vnd.oci.image.index.v1+json",
            Self::DockerImage => "application/vnd.docker.distribution.manifest.v2+json",
            Self::DockerIndex => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    /// The kind of this media type.
    pub fn of(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == media_type)
    }

    /// Whether it is an index.
    pub fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerIndex)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u64,
    #[serde(default, deserialize_with = "json::or_unset")]
    media_type: String,
    config: Option<Object<Descriptor>>,
    layers: Option<AtMost<Object<Descriptor>, MAX_ENTRIES>>,
    manifests: Option<AtMost<Object<Descriptor>, MAX_ENTRIES>>,
    fs_layers: Option<Opaque>,
    #[serde(default, deserialize_with = "json::or_unset")]
    artifact_type: String,
    subject: Option<Object<Descriptor>>,
}

impl Manifest {
    /// Reads a manifest. Fields that nothing here needs are passed over; what could be read
    /// as an image by one and as an index by another is refused (CVE-2021-41190).
    pub fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        let wire: Wire = json::parse(bytes, MAX_MANIFEST)?;
        if wire.schema_version == 1 {
            return Err(ManifestError::Schema1);
        }
        let listed = |list: AtMost<Object<Descriptor>, MAX_ENTRIES>| {
            list.0.into_iter().map(|Object(entry)| entry).collect()
        };
        let said = match (wire.config, wire.layers, wire.manifests) {
            _ if wire.fs_layers.is_some() => return Err(ManifestError::Both),
            (None, None, Some(manifests)) => Said::Index(Index { manifests: listed(manifests) }),
            (Some(Object(config)), layers, None) => Said::Image(Box::new(Image {
                config,
                layers: layers.map(listed).unwrap_or_default(),
                artifact_type: wire.artifact_type,
                subject: wire.subject.map(|Object(subject)| subject),
            })),
            (_, _, Some(_)) => return Err(ManifestError::Both),
            (None, _, None) => return Err(ManifestError::Neither),
        };
        let is_index = matches!(said, Said::Index(_));
        let kind = match (wire.media_type.as_str(), is_index) {
            // OCI images need not say what they are; Docker's always do.
            ("", true) => ManifestKind::OciIndex,
            ("", false) => ManifestKind::OciImage,
            (named, _) => ManifestKind::of(named)
                .filter(|kind| kind.is_index() == is_index)
                .ok_or_else(|| ManifestError::MediaType { said: brief(named, 100) })?,
        };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(Self { kind, digest: Sha256Digest::of(bytes), size, said })
    }

    /// Which kind it is.
    pub fn kind(&self) -> ManifestKind {
        self.kind
    }

    /// The SHA-256 of the bytes that it was read from.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// How many those are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What points to it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.kind.media_type().to_owned(),
            digest: BlobDigest::Sha256(self.digest),
            size: self.size,
            platform: None,
            artifact_type: String::new(),
            annotations: std::collections::BTreeMap::new(),
        }
    }

    /// The image that it is, if it is one.
    pub fn image(&self) -> Option<&Image> {
        match &self.said {
            Said::Image(image) => Some(image),
            Said::Index(_) => None,
        }
    }

    /// The index that it is, if it is one.
    pub fn index(&self) -> Option<&Index> {
        match &self.said {
            Said::Index(index) => Some(index),
            Said::Image(_) => None,
        }
    }
}

impl Index {
    /// Its images: what is for a platform. Builders also list what they say about those.
    pub fn images(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().filter(|entry| entry.platform.as_ref().is_none_or(Platform::is_known))
    }

    /// The first image for this platform, as container runtimes choose.
    pub fn image_for(&self, platform: &Platform) -> Option<&Descriptor> {
        self.manifests.iter().find(|entry| entry.platform.as_ref().is_some_and(|own| own.is(platform)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn entry(more: &str) -> String {
        format!(r#"{{"mediaType":"t","digest":"sha256:{HEX}","size":3{more}}}"#)
    }

    fn image(more: &str) -> String {
        let entry = entry("");
        format!(r#"{{"schemaVersion":2,"config":{entry},"layers":[{entry},{entry}]{more}}}"#)
    }

    fn index(more: &str) -> String {
        let amd = entry(r#","platform":{"os":"linux","architecture":"amd64"}"#);
        let arm = entry(r#","platform":{"os":"linux","architecture":"arm64","variant":"v8"}"#);
        let said = entry(r#","platform":{"os":"unknown","architecture":"unknown"}"#);
        format!(r#"{{"schemaVersion":2,"manifests":[{amd},{arm},{said}]{more}}}"#)
    }

    fn read(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::read(text.as_bytes())
    }

    #[test]
    fn an_image_and_an_index_are_told_apart_by_what_they_hold() {
        let one = read(&image(r#","annotations":null,"unknown":{}"#)).unwrap();
        assert_eq!(one.kind(), ManifestKind::OciImage);
        assert_eq!(one.image().unwrap().layers.len(), 2);
        assert_eq!(one.digest(), Sha256Digest::of(image(r#","annotations":null,"unknown":{}"#).as_bytes()));
        let many = read(&index("")).unwrap();
        assert_eq!(many.kind(), ManifestKind::OciIndex);
        let listed = many.index().unwrap();
        assert_eq!(listed.images().count(), 2, "what is for no platform is no image");
        assert_eq!(listed.image_for(&"linux/arm64".parse().unwrap()), listed.manifests.get(1));
        assert_eq!(listed.image_for(&"windows/amd64".parse().unwrap()), None);
        for kind in ManifestKind::ALL {
            let said = format!(r#","mediaType":"{}""#, kind.media_type());
            let text = if kind.is_index() { index(&said) } else { image(&said) };
            assert_eq!(read(&text).unwrap().kind(), kind);
            let other = if kind.is_index() { image(&said) } else { index(&said) };
            assert!(matches!(read(&other), Err(ManifestError::MediaType { .. })), "{other}");
        }
    }

    #[test]
    fn what_two_readers_would_read_in_two_ways_is_refused() {
        assert_eq!(read(&image(r#","manifests":[]"#)), Err(ManifestError::Both));
        assert_eq!(read(&index(&format!(r#","config":{}"#, entry("")))), Err(ManifestError::Both));
        assert_eq!(read(&index(r#","layers":[]"#)), Err(ManifestError::Both));
        assert_eq!(read(&image(r#","fsLayers":[]"#)), Err(ManifestError::Both));
        assert_eq!(read(r#"{"schemaVersion":2}"#), Err(ManifestError::Neither));
        assert_eq!(read(r#"{"schemaVersion":2,"layers":[]}"#), Err(ManifestError::Neither));
        assert_eq!(read(r#"{"schemaVersion":1,"fsLayers":[]}"#), Err(ManifestError::Schema1));
        assert!(matches!(read(&image(r#","config":null"#)), Err(ManifestError::Json(_))), "named twice");
        let negative = image("").replace(r#""size":3"#, r#""size":-3"#);
        assert!(matches!(read(&negative), Err(ManifestError::Json(_))));
    }

    #[test]
    fn how_much_is_listed_is_bounded() {
        let many = vec![entry(""); MAX_ENTRIES + 1].join(",");
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{many}]}}"#);
        assert!(matches!(read(&text), Err(ManifestError::Json(_))));
        let large = " ".repeat(MAX_MANIFEST + 1);
        assert!(matches!(read(&large), Err(ManifestError::Json(JsonError::TooLarge { .. }))));
    }

    #[test]
    fn other_digests_are_carried_and_named() {
        let text = image("").replace("sha256:", "sha512:");
        let config = &read(&text).unwrap().image().unwrap().config.clone();
        assert_eq!(config.digest.sha256(), None);
        assert!(config.digest.to_string().starts_with("sha512:"));
    }
}
