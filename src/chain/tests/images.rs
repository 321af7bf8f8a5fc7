//! Links to the images that steps ran.

use super::*;

const REPOSITORY: &str = "r.example/app";

impl Shelf {
    /// What somebody says of an image with this name's digest, as it lies in a repository.
    async fn attest_image(&self, name: &str, inputs: Vec<ResourceDescriptor>) -> ResourceDescriptor {
        let contents = Contents::file(REPOSITORY, Sha256Digest::of(name.as_bytes()));
        let key = format!("images/{name}");
        self.attest_at(&key, contents, &provenance(inputs)).await;
        let bundle = ObjectKey::new(format!("{key}.sigstore.json").as_str()).unwrap();
        let bytes = self.store.get(&bundle, MAX_ATTESTATION).await.unwrap().bytes;
        image(name, self.put(REPOSITORY, &bytes))
    }

    /// The digest under which it lies there.
    fn put(&self, repository: &str, bytes: &[u8]) -> Sha256Digest {
        let digest = Sha256Digest::of(bytes);
        let at = format!("oci://{repository}@sha256:{digest}");
        self.blobs.lock().unwrap().insert(at, Bytes::copy_from_slice(bytes));
        digest
    }
}

/// A container's image, and its attestation.
fn image(name: &str, attestation: Sha256Digest) -> ResourceDescriptor {
    let digest = Sha256Digest::of(name.as_bytes());
    let mut image = ResourceDescriptor::named(format!("containers/{name}"), digest);
    image.uri = format!("oci://{REPOSITORY}:1@sha256:{digest}");
    let uri = format!("oci://{REPOSITORY}@sha256:{}", Sha256Digest::of(b"a manifest"));
    image.annotations.insert("attestation".into(), json!({"uri": uri, "sha256": attestation.to_string()}));
    image
}

#[tokio::test]
async fn a_chain_leads_through_images_to_what_they_were_made_of() {
    let shelf = Shelf::new();
    let source = shelf.attest("source", vec![root("git")]).await;
    let base = shelf.attest_image("base", vec![source.clone()]).await;
    let tool = shelf.attest_image("tool", vec![base.clone(), root("plain")]).await;
    let lib = shelf.attest("lib", vec![tool.clone(), base.clone()]).await;
    let chain = shelf.walk(vec![lib, tool]).await;
    let expected = [
        ("inputs/lib", "verified"),
        ("inputs/lib containers/tool", "verified"),
        ("inputs/lib containers/tool containers/base", "verified"),
        ("inputs/lib containers/tool containers/base inputs/source", "verified"),
        ("inputs/lib containers/tool containers/base inputs/source git", "root"),
        ("inputs/lib containers/tool plain", "root"),
        ("inputs/lib containers/base", "again"),
        ("containers/tool", "again"),
    ];
    let expected = expected.map(|(path, standing)| (path.to_owned(), standing));
    assert_eq!(told(&chain), expected);
    // Each once, by its own digest and in its own repository.
    assert_eq!(shelf.asked().iter().filter(|uri| uri.starts_with("oci://r.example/app@sha256:")).count(), 2);
}

/// An image of which nobody says that it is attested is a root, whatever it is named by.
#[tokio::test]
async fn an_image_without_an_attestation_is_a_root() {
    let shelf = Shelf::new();
    let mut pinned = shelf.attest_image("app", Vec::new()).await;
    pinned.annotations.clear();
    let chain = shelf.walk(vec![pinned, root("containers/main")]).await;
    assert_eq!(told(&chain).iter().map(|(_, standing)| *standing).collect::<Vec<_>>(), ["root", "root"]);
    assert!(shelf.asked().is_empty());
}

#[tokio::test]
async fn an_attestation_of_another_image_is_spliced() {
    let shelf = Shelf::new();
    let good = shelf.attest_image("good", Vec::new()).await;
    let mut evil = image("evil", Sha256Digest::of(b""));
    evil.annotations = good.annotations.clone();
    let (path, why) = broken(&shelf.walk(vec![evil]).await);
    assert_eq!(path, "containers/evil");
    assert!(why.contains("is not one that is attested"), "{why}");
    // Also where it was walked before.
    let mut evil = image("evil", Sha256Digest::of(b""));
    evil.annotations = good.annotations.clone();
    let chain = shelf.walk(vec![good.clone(), evil]).await;
    assert_eq!(told(&chain)[1].1, "broken");
    // An image's attestation for an object, and an object's for an image.
    let object = shelf.attest("lib", Vec::new()).await;
    let mut posing = object.clone();
    posing.annotations.insert("attestation".into(), good.annotations["attestation"].clone());
    let mut other = good.clone();
    other.annotations.insert("attestation".into(), object.annotations["attestation"].clone());
    for (spliced, name) in [(posing, "inputs/lib"), (other, "containers/good")] {
        let (path, why) = broken(&shelf.walk(vec![spliced]).await);
        assert_eq!(path, name);
        assert!(why.contains("does not lie in the repository of the image"), "{why}");
    }
}

/// What is said of a name must be said of one image, by digests, in one repository.
#[tokio::test]
async fn names_that_do_not_agree_break_the_chain() {
    let shelf = Shelf::new();
    let good = shelf.attest_image("good", Vec::new()).await;
    let other = Sha256Digest::of(b"other");
    let digest = good.digest.sha256().unwrap();
    let set = |uri: String| ResourceDescriptor { uri, ..good.clone() };
    let mut elsewhere = good.clone();
    elsewhere.annotations["attestation"]["uri"] = json!(format!("oci://r.example/other@sha256:{other}"));
    let mut tagged = good.clone();
    tagged.annotations["attestation"]["uri"] = json!("oci://r.example/app:sha256-1.att");
    let asked = shelf.asked().len();
    for spoilt in [
        set(format!("oci://{REPOSITORY}@sha256:{other}")),
        set(format!("oci://{REPOSITORY}:1")),
        set(format!("oci://r.example/other@sha256:{digest}")),
        set(format!("oci://R.example/APP@sha256:{digest}")),
        set("oci://".to_owned()),
        elsewhere,
        tagged,
    ] {
        let (_, why) = broken(&shelf.walk(vec![spoilt]).await);
        assert!(why.contains("does not lie in the repository of the image"), "{why}");
    }
    assert_eq!(shelf.asked().len(), asked, "nobody was asked");
}

#[tokio::test]
async fn what_a_registry_has_lost_or_exchanged_breaks_the_chain() {
    let shelf = Shelf::new();
    let good = shelf.attest_image("good", Vec::new()).await;
    let missing = image("missing", Sha256Digest::of(b"nothing"));
    let (_, why) = broken(&shelf.walk(vec![missing]).await);
    assert!(why.contains("is not there"), "{why}");
    let all: Vec<_> = shelf.blobs.lock().unwrap().keys().cloned().collect();
    for bytes in [Bytes::from_static(b"{}"), Bytes::new()] {
        shelf.blobs.lock().unwrap().insert(all[0].clone(), bytes);
        let (_, why) = broken(&shelf.walk(vec![good.clone()]).await);
        assert!(why.contains("is not the attestation that its statement names"), "{why}");
    }
    let shelf = Shelf::new();
    let good = shelf.attest_image("good", Vec::new()).await;
    let limits = Limits { bytes: 10, ..Limits::default() };
    let (_, why) = broken(&shelf.walk_with(vec![good.clone()], &shelf.policy(), limits).await);
    assert!(why.contains("have more than 10 bytes"), "{why}");
    let limits = Limits { depth: 0, ..Limits::default() };
    let (_, why) = broken(&shelf.walk_with(vec![good.clone()], &shelf.policy(), limits).await);
    assert!(why.contains("deeper than 0 links"), "{why}");
    // Signed by somebody else.
    let (_, why) = broken(&shelf.walk_with(vec![good], &Shelf::new().policy(), Limits::default()).await);
    assert!(why.contains("trusted key"), "{why}");
}

/// A statement chooses no host: registries are asked that the caller knows.
#[tokio::test]
async fn a_registry_that_only_a_statement_names_is_not_asked() {
    let registries = || Registries::from_env(&|_: &str| None, true);
    let at: Repository = "127.0.0.1:1/app".parse().unwrap();
    let digest = Sha256Digest::of(b"x");
    for images in [Images::default(), Images::new(registries, ["r.example".parse().unwrap()])] {
        let error = images.fetch(&at, digest, 100).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::Unnamed { registry, .. } if registry == "127.0.0.1:1"),
            "{error}"
        );
    }
    let named = Images::new(registries, [at.registry().clone()]);
    let error = named.fetch(&at, digest, 100).await.unwrap_err();
    assert!(matches!(error, FetchError::Registry(RegistryError::Unreachable { .. })), "{error}");
    // Whoever is logged in there knows it.
    let home = tempfile::tempdir().unwrap();
    let config = r#"{"auths":{"127.0.0.1:1":{"username":"u","password":"p"}}}"#;
    std::fs::write(home.path().join("config.json"), config).unwrap();
    let folder = home.path().as_os_str().to_owned();
    let logged_in = move || {
        let folder = folder.clone();
        Registries::from_env(&move |name: &str| (name == "DOCKER_CONFIG").then(|| folder.clone()), true)
    };
    let error = Images::new(logged_in, []).fetch(&at, digest, 100).await.unwrap_err();
    assert!(matches!(error, FetchError::Registry(RegistryError::Unreachable { .. })), "{error}");
}
