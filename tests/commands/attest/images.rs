//! Images in registries that are attested where they are, by ours and for others.

use argo_attest::attest::{Attestor, ImageAttested, ImageAttestor};
use argo_attest_core::image::ImageReference;
use argo_attest_core::slsa::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use serde_json::{Map, json};

use crate::images::Place;

fn provenance(a: u8) -> Provenance {
    Provenance {
        build_definition: BuildDefinition {
            build_type: "https://example.com/t".into(),
            external_parameters: Map::from_iter([("a".to_owned(), json!(a))]),
            internal_parameters: Map::new(),
            resolved_dependencies: Vec::new(),
        },
        run_details: RunDetails {
            builder: Builder::this_version("https://example.com/b"),
            metadata: BuildMetadata::default(),
            byproducts: Vec::new(),
        },
    }
}

async fn listed(place: &Place, image: &ImageReference) -> Vec<String> {
    let pages = place.registries.referrers(image.repository(), image.digest().unwrap()).await.unwrap();
    let digests = pages.iter().flat_map(|page| page.candidates().collect::<Vec<_>>());
    digests.map(|digest| format!("oci://{}", image.repository().at(digest))).collect()
}

async fn attest(place: &Place, image: &ImageReference, a: u8) -> ImageAttested {
    let manifest = place.registries.manifest(image).await.unwrap().manifest;
    let attestor = Attestor::new(&place.key);
    let images = ImageAttestor::new(&attestor, &place.registries);
    images.attest(image.repository(), &manifest, &provenance(a)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_statement_refers_to_an_index_and_to_each_of_its_images() {
    for place in Place::each() {
        let pushed = place.push("app:v1");
        let all = [&[pushed.index.clone()][..], &pushed.images].concat();
        let first = attest(&place, &pushed.index, 1).await;
        let receipt = first.receipt();
        assert_eq!((receipt.subjects(), receipt.lines_uri()), (3, None));
        assert_eq!(receipt.bundle_uri(), first.referred()[0].attestation);
        let digest = format!("sha256:{}", pushed.index.digest().unwrap());
        assert_eq!(first.receipt().clone().into_attested().digest(), Some(digest.as_str()));
        for (image, referred) in all.iter().zip(first.referred()) {
            assert_eq!(Some(referred.subject.digest), image.digest());
            assert_eq!(listed(&place, image).await, [referred.attestation.as_str()]);
            place.attested(image);
        }
        // The same again changes nothing, and another stays beside it.
        let again = attest(&place, &pushed.index, 1).await;
        assert_eq!(again.referred(), first.referred());
        for (image, referred) in all.iter().zip(first.referred()) {
            assert_eq!(listed(&place, image).await, [referred.attestation.as_str()]);
        }
        let second = attest(&place, &pushed.index, 2).await;
        for (image, (one, two)) in all.iter().zip(first.referred().iter().zip(second.referred())) {
            let mut both = [one.attestation.as_str(), two.attestation.as_str()];
            let mut there = listed(&place, image).await;
            both.sort_unstable();
            there.sort();
            assert_eq!(there, both);
        }
        // One image alone speaks of itself alone.
        let other = place.push("app:v2");
        let alone = attest(&place, &other.images[0], 1).await;
        assert_eq!((alone.referred().len(), alone.receipt().subjects()), (1, 1));
        place.attested(&other.images[0]);
        place.refused(&other.index, "unattested");
        place.refused(&other.images[1], "unattested");
    }
}
