//! `audit` where the bucket keeps each version of an object.

use crate::audit::{audit, built_in, lines, told};
use crate::servers::{self, BUCKET};
use crate::workshop::{Workshop, uri};

/// What whoever asks for the key is given, and nothing that the bucket keeps beneath it.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_versions_the_one_that_is_given_counts() {
    let Some(shop) = Workshop::large().await else { return };
    let shop = built_in(shop).await;
    let s3 = servers::sdk(&shop.endpoint);
    let key = "wf/p1/app.tgz";
    let (app, image) = (uri(key), uri("wf/p2/image.tar"));
    let of_workflow = |code| told(&audit(&shop, &["-f", "wf.json", "-o", "json"]).with(code));
    let of_prefix = |code| told(&audit(&shop, &["-o", "json", &uri("wf/p1/")]).with(code));
    let attested = lines(&[(&app, "attested", ""), (&image, "attested", "")]);
    assert_eq!(of_workflow(0), attested);

    let put = s3.put_object().bucket(BUCKET).key(key).body(b"of somebody else".to_vec().into());
    let newer = put.send().await.unwrap().version_id.unwrap();
    assert_eq!(of_workflow(1)[0], (app.clone(), "refused".into(), "altered".into()));
    assert_eq!(of_prefix(1)[0], (app.clone(), "refused".into(), "altered".into()));
    let kept = s3.list_object_versions().bucket(BUCKET).prefix(key).send().await.unwrap();
    let versions = kept.versions().iter().filter(|version| version.key() == Some(key));
    assert_eq!(versions.count(), 2, "the attested one is kept");

    // Gone is what nobody is given, whatever is kept.
    let delete = s3.delete_object().bucket(BUCKET).key(key);
    let marker = delete.send().await.unwrap().version_id.unwrap();
    assert_eq!(of_workflow(1)[0], (app.clone(), "refused".into(), "object-gone".into()));
    let prefix = of_prefix(1);
    assert!(prefix.iter().any(|(at, _, reason)| *at == app && reason == "object-gone"), "{prefix:?}");

    for version in [marker, newer] {
        s3.delete_object().bucket(BUCKET).key(key).version_id(version).send().await.unwrap();
    }
    assert_eq!(of_workflow(0), attested);
}
