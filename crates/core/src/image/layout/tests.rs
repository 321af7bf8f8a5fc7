//! Images in directories and tars, whole and broken.

use std::collections::BTreeMap;
use std::io::Write as _;

use ::tar::{EntryType, Header};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::archive::{TarFilesError, tar_files};
use crate::contents::Contents;
use crate::digest::Sha256Digest;
use crate::intoto::member_path;
use crate::relpath::RelPath;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A directory in memory.
#[derive(Clone, Default)]
struct Shelf(BTreeMap<RelPath, Vec<u8>>);

impl Shelf {
    fn layout() -> Self {
        Self::default().with("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)
    }

    fn with(mut self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.put(name, bytes.as_ref());
        self
    }

    fn put(&mut self, name: &str, bytes: &[u8]) {
        self.0.insert(path(name), bytes.to_vec());
    }

    /// Content, and what points to it.
    fn keep(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Sha256Digest::of(bytes);
        self.put(&format!("blobs/sha256/{digest}"), bytes);
        json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len()})
    }

    fn image(&mut self, name: &str) -> Value {
        let config = self.keep("application/vnd.oci.image.config.v1+json", name.as_bytes());
        let layer = self.keep("application/vnd.oci.image.layer.v1.tar", format!("layer {name}").as_bytes());
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
        self.keep(MANIFEST, manifest.to_string().as_bytes())
    }

    fn index(&mut self, manifests: &[Value]) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.keep(INDEX, index.to_string().as_bytes())
    }

    fn list(&mut self, manifests: &[Value]) {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        self.put("index.json", index.to_string().as_bytes());
    }

    fn found(&mut self) -> Found {
        images(self)
    }

    /// What is said of the only thing that is left out, none of it being a subject.
    #[track_caller]
    fn why(&mut self) -> String {
        let found = self.found();
        assert_eq!((found.manifests.as_slice(), found.configs.as_slice()), (&[][..], &[][..]));
        only(&found, self).unwrap_err();
        let [left_out] = found.left_out.as_slice() else { panic!("{:?}", found.left_out) };
        left_out.to_string()
    }
}

impl Entries for Shelf {
    fn blob(&self, path: &RelPath) -> Option<Blob> {
        let bytes = self.0.get(path)?;
        Some(Blob { digest: Sha256Digest::of(bytes), size: bytes.len() as u64, unpacked: None })
    }

    fn read(&mut self, path: &RelPath, most: usize) -> Result<Vec<u8>, String> {
        let bytes = self.0.get(path).cloned().ok_or("gone")?;
        assert!(bytes.len() <= most);
        Ok(bytes)
    }

    fn names(&self) -> Box<dyn Iterator<Item = &RelPath> + '_> {
        Box::new(self.0.keys())
    }

    fn is_tar(&self) -> bool {
        false
    }
}

fn path(name: &str) -> RelPath {
    RelPath::from_bytes(name.as_bytes()).unwrap()
}

fn digest(descriptor: &Value) -> Sha256Digest {
    descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().parse().unwrap()
}

/// One image, its layout and its descriptor.
fn one() -> (Shelf, Value) {
    let mut shelf = Shelf::layout();
    let image = shelf.image("app");
    shelf.list(std::slice::from_ref(&image));
    (shelf, image)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar of these files, in this order.
fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut tar = ::tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        tar.append(&header(Header::new_ustar(), name, EntryType::Regular, bytes.len()), bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn header(mut header: Header, name: &str, kind: EntryType, size: usize) -> Header {
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    header
}

fn tar_of(shelf: &Shelf) -> Vec<u8> {
    let names: Vec<_> = shelf.0.keys().map(ToString::to_string).collect();
    tar(names.iter().map(String::as_str).zip(shelf.0.values().map(Vec::as_slice)))
}

fn read(bytes: &[u8]) -> Result<ImageTar, TarFilesError> {
    tar_files(bytes.starts_with(&[0x1f, 0x8b]), bytes, TAR_LIMITS).map(ImageTar::new)
}

fn found_in(bytes: &[u8]) -> (Found, ImageTar) {
    let mut tar = read(bytes).unwrap();
    (images(&mut tar), tar)
}

#[test]
fn an_image_is_found_with_all_that_it_reaches() {
    let (mut shelf, mut image) = one();
    image["annotations"] = json!({"org.opencontainers.image.ref.name": "registry.example/app:1.2"});
    shelf.list(std::slice::from_ref(&image));
    let found = shelf.found();
    assert_eq!(found.left_out, []);
    let [manifest] = found.manifests.as_slice() else { panic!("{found:?}") };
    assert_eq!((manifest.digest, manifest.listed), (digest(&image), true));
    assert_eq!(manifest.reference.as_deref(), Some("registry.example/app:1.2"));
    assert_eq!(only(&found, &shelf), Ok(Only::Manifest(digest(&image))));
    let mut written = WrittenImages::default();
    written.add("out", &found);
    let config = manifest.config.unwrap();
    assert_eq!((written.holds(manifest.digest), written.manifests()), (Some("out"), 1));
    // Another manifest of the same parts, with annotations of somebody else's, was not written.
    assert_eq!(written.holds_config(config, &manifest.parts), None);
    assert_eq!(written.holds(config), None);
    // The same in a tar, gzipped or not.
    let packed = tar_of(&shelf);
    for bytes in [gzip(&packed), packed] {
        let (same, tar) = found_in(&bytes);
        assert_eq!(same, found);
        assert_eq!(only(&same, &tar), Ok(Only::Manifest(digest(&image))));
    }
}

#[test]
fn an_index_is_one_image_with_those_of_its_platforms() {
    let mut shelf = Shelf::layout();
    let images = ["amd64", "arm64"].map(|name| shelf.image(name));
    let index = shelf.index(&images);
    shelf.list(std::slice::from_ref(&index));
    let found = shelf.found();
    let digests: Vec<_> = found.manifests.iter().map(|manifest| manifest.digest).collect();
    assert_eq!(digests, [digest(&index), digest(&images[0]), digest(&images[1])]);
    assert_eq!(only(&found, &shelf), Ok(Only::Manifest(digest(&index))));

    // Of an index that is not all there, the images that are.
    shelf.0.remove(&path(&format!("blobs/sha256/{}", digest(&images[1]))));
    let found = shelf.found();
    let digests: Vec<_> = found.manifests.iter().map(|manifest| manifest.digest).collect();
    assert_eq!(digests, [digest(&images[0])]);
    assert!(matches!(only(&found, &shelf), Err(NotOne::LeftOut(why)) if why.contains("is not there")));
}

#[test]
fn what_lies_is_left_out_and_it_is_said_why() {
    let (shelf, image) = one();
    let manifest: Value =
        serde_json::from_slice(&shelf.0[&path(&format!("blobs/sha256/{}", digest(&image)))]).unwrap();
    let layer = format!("blobs/sha256/{}", digest(&manifest["layers"][0]));
    let config = format!("blobs/sha256/{}", digest(&manifest["config"]));
    let own = format!("blobs/sha256/{}", digest(&image));
    for name in [&layer, &config, &own] {
        let mut missing = shelf.clone();
        missing.0.remove(&path(name));
        assert!(missing.why().ends_with("is not there"), "{name}");
        let mut swapped = shelf.clone().with(name, b"something else");
        assert!(swapped.why().contains("has SHA-256"), "{name}");
    }
    let listed = |change: &dyn Fn(&mut Value)| {
        let (mut shelf, mut descriptor) = (shelf.clone(), image.clone());
        change(&mut descriptor);
        shelf.list(&[descriptor]);
        shelf.why()
    };
    assert!(listed(&|d| d["size"] = json!(1)).contains("and should have 1"));
    assert!(listed(&|d| d["mediaType"] = json!(INDEX)).contains("it is listed as"));
    assert!(listed(&|d| d["mediaType"] = json!("text/plain")).contains("it is no image"));
    assert!(
        listed(&|d| d["digest"] = json!(format!("sha512:{}", "0".repeat(128)))).contains("another digest")
    );
    for (name, bytes) in [
        ("oci-layout", &br#"{"imageLayoutVersion":"2.0.0"}"#[..]),
        ("oci-layout", b"{}"),
        ("index.json", b"{"),
        ("index.json", br#"{"schemaVersion":2,"config":{"mediaType":"x","digest":"y","size":1}}"#),
    ] {
        shelf.clone().with(name, bytes).why();
    }
    let mut bare = shelf.clone();
    bare.0.remove(&path("index.json"));
    assert_eq!(bare.why(), "index.json: index.json is not there");
    // What is no layout says nothing of itself.
    let mut other = shelf;
    other.0.remove(&path("oci-layout"));
    assert!(other.found().is_empty());
}

/// A manifest that is there by a wrong size in one list is there by the right one in another.
#[test]
fn each_that_points_to_a_manifest_is_held_to_its_own_words() {
    let (mut shelf, image) = one();
    let mut wrong = image.clone();
    wrong["size"] = json!(7);
    let index = shelf.index(&[wrong]);
    shelf.list(&[image.clone(), index]);
    let found = shelf.found();
    assert_eq!(found.manifests.iter().map(|m| m.digest).collect::<Vec<_>>(), [digest(&image)]);
    assert!(
        found.left_out[0].why.contains("should have 7") || found.left_out[0].why.contains("with 7 bytes")
    );
}

#[test]
fn how_much_is_looked_at_is_bounded() {
    let (mut shelf, mut image) = one();
    for _ in 0..8 {
        image = shelf.index(&[image]);
    }
    shelf.list(std::slice::from_ref(&image));
    assert!(shelf.found().left_out[0].why.contains("in one another"));

    let mut shelf = Shelf::layout();
    let many: Vec<_> = (0..300).map(|n| shelf.image(&n.to_string())).collect();
    shelf.list(&many);
    let found = shelf.found();
    assert_eq!(found.manifests.len(), oci::MAX_MANIFESTS);
    assert_eq!(found.left_out.len() + found.more_left_out, 300 - oci::MAX_MANIFESTS);
}

#[test]
fn one_image_is_what_every_reader_takes_out_of_it() {
    let (shelf, image) = one();
    let mut two = shelf.clone();
    let other = two.image("other");
    two.list(&[image.clone(), other]);
    let found = two.found();
    assert_eq!(only(&found, &two), Err(NotOne::Many(2)));
    // `skopeo copy dir:` would read that one.
    let mut stray = shelf.clone().with("manifest.json", b"{}");
    let found = stray.found();
    assert_eq!(only(&found, &stray), Err(NotOne::Stray("manifest.json".to_owned())));
    // A blob that nothing reaches is read by nobody.
    let mut more = shelf.clone().with("blobs/sha256/x", b"x");
    let found = more.found();
    assert_eq!(only(&found, &more), Ok(Only::Manifest(digest(&image))));
    let mut none = shelf;
    none.list(&[]);
    let found = none.found();
    assert_eq!(only(&found, &none), Err(NotOne::None));
}

/// A configuration, and the archive that `docker load` reads.
fn docker(layers: &[(&str, &[u8])], diffs: &[&[u8]]) -> (Vec<u8>, Shelf) {
    let diff_ids: Vec<_> = diffs.iter().map(|diff| format!("sha256:{}", Sha256Digest::of(diff))).collect();
    let config =
        json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let config = config.to_string().into_bytes();
    let names: Vec<_> = layers.iter().map(|(name, _)| *name).collect();
    let list = json!([{"Config": "c.json", "RepoTags": ["app:1"], "Layers": names}]).to_string();
    let mut shelf = Shelf::default().with("c.json", &config).with("manifest.json", list);
    for (name, bytes) in layers {
        shelf.put(name, bytes);
    }
    (config, shelf)
}

#[test]
fn a_docker_archive_is_known_by_its_configuration() {
    let packed = gzip(b"two");
    let (config, shelf) = docker(&[("a/layer.tar", b"one"), ("b.tar.gz", &packed)], &[b"one", b"two"]);
    let (found, tar) = found_in(&tar_of(&shelf));
    assert_eq!(found.left_out, []);
    let [stored] = found.configs.as_slice() else { panic!("{found:?}") };
    assert_eq!(stored.digest, Sha256Digest::of(&config));
    assert_eq!(stored.diff_ids, [&b"one"[..], b"two"].map(Sha256Digest::of));
    assert_eq!(only(&found, &tar), Ok(Only::Config(stored.digest)));

    let mut written = WrittenImages::default();
    written.add("out", &found);
    assert_eq!(written.holds_config(stored.digest, &stored.diff_ids), Some("out"));
    assert_eq!(written.holds_config(stored.digest, &stored.diff_ids[..1]), None);
    assert_eq!(written.holds(stored.digest), None, "it is no manifest");
}

#[test]
fn layers_that_are_not_the_configurations_are_not_its_image() {
    for (layers, diffs, why) in [
        (&[("l", &b"one"[..])][..], &[&b"other"[..]][..], "and its configuration says"),
        (&[("l", b"one")], &[b"one", b"one"], "has 1 layers, and its configuration 2"),
        (&[("l", &[0x1f, 0x8b, 1, 2, 3])], &[b"x"], "was not unpacked"),
    ] {
        let (_, shelf) = docker(layers, diffs);
        let (found, tar) = found_in(&tar_of(&shelf));
        assert!(found.configs.is_empty() && found.left_out[0].why.contains(why), "{found:?}");
        only(&found, &tar).unwrap_err();
    }
    let (_, mut shelf) = docker(&[("l", b"one")], &[b"one"]);
    shelf.0.remove(&path("l"));
    assert!(found_in(&tar_of(&shelf)).0.left_out[0].why.contains("its layer l is not there"));
    // A directory, and a tar of anything, may have a file of that name.
    assert!(shelf.found().is_empty());
    assert!(found_in(&tar([("manifest.json", &br#"{"name":"a web page"}"#[..])])).0.is_empty());
}

#[test]
fn a_layer_that_is_there_twice_may_be_a_link() {
    let (_, shelf) = docker(&[("a/layer.tar", b"one"), ("b/layer.tar", b"one")], &[b"one", b"one"]);
    let linked = |target: &str| {
        let mut tar = ::tar::Builder::new(Vec::new());
        for (name, bytes) in &shelf.0 {
            let name = name.to_string();
            if name == "b/layer.tar" {
                let mut link = header(Header::new_ustar(), &name, EntryType::Symlink, 0);
                link.set_link_name(target).unwrap();
                link.set_cksum();
                tar.append(&link, &[][..]).unwrap();
            } else {
                let header = header(Header::new_ustar(), &name, EntryType::Regular, bytes.len());
                tar.append(&header, bytes.as_slice()).unwrap();
            }
        }
        found_in(&tar.into_inner().unwrap()).0
    };
    assert_eq!(linked("../a/layer.tar").configs.len(), 1);
    for elsewhere in ["../../a/layer.tar", "/a/layer.tar", "layer.tar", "../c.json", "../none"] {
        assert!(linked(elsewhere).configs.is_empty(), "{elsewhere}");
    }
}

/// What `docker save` writes today is both. One image is one subject; another one in the part
/// that only `docker load` reads is found, and is why the tar does not verify.
#[test]
fn a_layout_that_docker_loads_too_is_held_to_both() {
    let mut shelf = Shelf::layout();
    let diffs = [format!("sha256:{}", Sha256Digest::of(b"one"))];
    let config = json!({"rootfs": {"diff_ids": diffs}}).to_string();
    let config = shelf.keep("application/vnd.oci.image.config.v1+json", config.as_bytes());
    let layer = shelf.keep("application/vnd.oci.image.layer.v1.tar", b"one");
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    let image = shelf.keep(MANIFEST, manifest.to_string().as_bytes());
    shelf.list(std::slice::from_ref(&image));
    let at = |descriptor: &Value| format!("blobs/sha256/{}", digest(descriptor));
    let list = json!([{"Config": at(&config), "RepoTags": null, "Layers": [at(&layer)]}]);
    let both = shelf.clone().with("manifest.json", list.to_string()).with("repositories", b"{}");
    let (found, tar) = found_in(&tar_of(&both));
    assert_eq!((found.manifests.len(), found.configs.len()), (1, 0));
    assert_eq!(only(&found, &tar), Ok(Only::Manifest(digest(&image))));
    assert_eq!(subjects("x.tar", &found).len(), 1);

    let other = json!({"rootfs": {"diff_ids": [format!("sha256:{}", Sha256Digest::of(b"two"))]}}).to_string();
    let hidden = json!([{"Config": "c", "Layers": ["l"]}]).to_string();
    let hidden = shelf.clone().with("c", other).with("l", b"two").with("manifest.json", hidden);
    let (found, tar) = found_in(&tar_of(&hidden));
    assert_eq!(only(&found, &tar), Err(NotOne::Two));
    let (found, tar) = found_in(&tar_of(&shelf.clone().with("repositories", b"{}")));
    assert_eq!(only(&found, &tar), Err(NotOne::Stray("repositories".to_owned())));
    let (found, tar) = found_in(&tar_of(&shelf.with("manifest.json", b"{}")));
    assert!(matches!(only(&found, &tar), Err(NotOne::LeftOut(_))));
}

#[test]
fn tars_are_read_in_as_far_as_all_read_them_alike() {
    let (shelf, image) = one();
    let wanted = Ok(Only::Manifest(digest(&image)));
    // GNU's, of `.`, as people pack a layout.
    let mut gnu = ::tar::Builder::new(Vec::new());
    gnu.append(&header(Header::new_gnu(), "./", EntryType::Directory, 0), &[][..]).unwrap();
    for (name, bytes) in &shelf.0 {
        let header = header(Header::new_gnu(), &format!("./{name}"), EntryType::Regular, bytes.len());
        gnu.append(&header, bytes.as_slice()).unwrap();
    }
    let gnu = gnu.into_inner().unwrap();
    assert!(may_be_image_tar(&gnu));
    let (found, tar) = found_in(&gnu);
    assert_eq!(only(&found, &tar), wanted);

    let twice = |name: &str| {
        let mut bytes = tar_of(&shelf);
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(self::tar([(name, &b"{}"[..])]));
        read(&bytes).unwrap_err().to_string()
    };
    for name in ["index.json", "./index.json"] {
        assert!(twice(name).contains("occurs twice"), "{name}");
    }
    assert!(twice("../index.json").contains("could leave"));
    let mut more = tar_of(&shelf);
    more.extend([1; 512]);
    assert!(matches!(read(&more), Err(TarFilesError::Broken(_))));
    let cut = tar_of(&shelf);
    assert!(matches!(read(&cut[..cut.len() - 1500]), Err(TarFilesError::Broken(_))));
}

#[test]
fn a_tar_is_recognised_by_its_first_names() {
    let hex = Sha256Digest::of(b"").to_string();
    let first = |name: &str| may_be_image_tar(&tar([(name, &b"x"[..])]));
    for name in ["oci-layout", "index.json", "manifest.json", "repositories"] {
        assert!(first(name), "{name}");
    }
    for name in [
        format!("blobs/sha256/{hex}"),
        format!("sha256:{hex}"),
        format!("{hex}.json"),
        format!("{hex}/VERSION"),
    ] {
        assert!(first(&name), "{name}");
    }
    for name in ["README.md", "src/main.c", "sha256:abc", "layout"] {
        assert!(!first(name), "{name}");
    }
    assert!(may_be_image_tar(&gzip(&tar([("oci-layout", &b"x"[..])]))));
    assert!(!may_be_image_tar(b"") && !may_be_image_tar(&[0x1f, 0x8b]) && !may_be_image_tar(&[0; 2048]));
}

#[test]
fn an_images_subject_is_no_path_of_anything() {
    let (mut shelf, image) = one();
    let found = shelf.found();
    for output in ["img", ".", "a/b", "oci:", ""] {
        for subject in subjects(output, &found) {
            assert!(is_image(&subject), "{subject:?}");
            RelPath::from_escaped(&subject.name).unwrap_err();
            for directory in [output, ".", "a", "img"] {
                assert_eq!(member_path(directory, &subject.name), None, "{directory} {}", subject.name);
            }
        }
    }
    let subject = subjects("img", &found).remove(0);
    assert_eq!(subject.name, format!("img//image@sha256:{}", digest(&image)));
    let mut other = subject.clone();
    other.media_type = String::new();
    assert!(!is_image(&other), "somebody's file of such a name");
    let named = |name: &str| {
        is_image(&crate::intoto::ResourceDescriptor { name: name.to_owned(), ..subject.clone() })
    };
    assert!(!named("img/image") && !named(&format!("img@sha256:{}", digest(&image))));
    assert!(!named(&format!("img//image@sha256:{}", Sha256Digest::of(b""))));
}

#[test]
fn a_name_that_is_none_or_holds_a_key_is_not_repeated() {
    for name in ["a b", "\u{1b}[2J", "", "ghp_x7Rk2mQz9LpW4vTn8YbC3dFj6HsA1eGu5oKi"] {
        let (mut shelf, mut image) = one();
        image["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        shelf.list(&[image]);
        assert_eq!(shelf.found().manifests[0].reference, None, "{name}");
    }
}

#[test]
fn an_artifact_names_its_images_if_there_is_room() {
    let (mut shelf, image) = one();
    let found = shelf.found();
    let file = Contents::file("x.tar", Sha256Digest::of(b"tar")).with_images(&found);
    assert_eq!(file.subjects().len(), 2);
    let stored = file.stored_as("x.tar", "s3://b/x.tar", Sha256Digest::of(b"tar"));
    assert_eq!(stored.subjects()[0].uri, "s3://b/x.tar");
    // An object that has the very digest of the image is no image.
    let packed = Contents::file("m", Sha256Digest::of(b"m")).with_images(&found);
    let packed = packed.stored_as("x", "s3://b/x", digest(&image));
    assert_eq!(packed.subjects()[0].name, "x");
    let files: std::collections::BTreeMap<_, _> =
        (0..crate::contents::MAX_FILES).map(|n| (path(&n.to_string()), Sha256Digest::of(b""))).collect();
    let full = Contents::directory("out", &files).with_images(&found);
    assert_eq!(full.subjects().len(), crate::intoto::MAX_SUBJECTS - 1);
}

proptest! {
    /// Whatever byte of a layout's tar is changed: either nothing of it is an image any more, or
    /// the image is there with every byte that it reaches.
    #[test]
    fn a_changed_byte_is_never_part_of_an_image(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let (shelf, image) = one();
        let mut bytes = tar_of(&shelf);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(mut tar) = read(&bytes) {
            let found = images(&mut tar);
            for manifest in &found.manifests {
                prop_assert_eq!(manifest.digest, digest(&image));
                let at = path(&format!("blobs/sha256/{}", manifest.digest));
                prop_assert_eq!(tar.blob(&at).unwrap().digest, digest(&image));
                for part in manifest.parts.iter().chain(&manifest.config) {
                    prop_assert_eq!(tar.blob(&path(&format!("blobs/sha256/{part}"))).unwrap().digest, *part);
                }
            }
        }
    }
}
