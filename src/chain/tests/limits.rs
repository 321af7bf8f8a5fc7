//! Chains that somebody made to be endless.

use super::*;

#[tokio::test]
async fn depth_is_bounded() {
    let shelf = Shelf::new();
    let mut input = shelf.attest("0", Vec::new()).await;
    for number in 1..4 {
        input = shelf.attest(&number.to_string(), vec![input]).await;
    }
    let limits = |depth| Limits { depth, ..Limits::default() };
    let policy = shelf.policy();
    assert!(shelf.walk_with(vec![input.clone()], &policy, limits(4)).await.broken().is_none());
    let (path, why) = broken(&shelf.walk_with(vec![input], &policy, limits(3)).await);
    assert_eq!(
        (path.as_str(), why.as_str()),
        ("inputs/3 inputs/2 inputs/1 inputs/0", "the chain is deeper than 3 links")
    );
}

#[tokio::test]
async fn width_is_bounded_over_all() {
    let shelf = Shelf::new();
    let roots = || (0..5).map(|n| root(&n.to_string())).collect::<Vec<_>>();
    let (one, two) = (shelf.attest("one", roots()).await, shelf.attest("two", roots()).await);
    let limits = |links| Limits { links, ..Limits::default() };
    let policy = shelf.policy();
    let inputs = || vec![one.clone(), two.clone()];
    assert!(shelf.walk_with(inputs(), &policy, limits(12)).await.broken().is_none());
    let chain = shelf.walk_with(inputs(), &policy, limits(11)).await;
    assert_eq!(chain.links().len(), 12);
    assert_eq!(broken(&chain), ("inputs/two 4".to_owned(), "the chain has more than 11 links".to_owned()));
}

#[tokio::test]
async fn bytes_are_bounded_over_all() {
    let shelf = Shelf::new();
    let (one, two) = (shelf.attest("one", Vec::new()).await, shelf.attest("two", Vec::new()).await);
    let size = |key: &str| {
        let key = ObjectKey::new(key).unwrap();
        let store = &shelf.store;
        async move { store.head(&key).await.unwrap().size }
    };
    let both = size("one.sigstore.json").await + size("two.sigstore.json").await;
    let limits = |bytes| Limits { bytes, ..Limits::default() };
    let policy = shelf.policy();
    let inputs = || vec![one.clone(), two.clone()];
    assert!(shelf.walk_with(inputs(), &policy, limits(both)).await.broken().is_none());
    let (path, why) = broken(&shelf.walk_with(inputs(), &policy, limits(both - 1)).await);
    assert_eq!(path, "inputs/two");
    assert!(why.starts_with("the attestations of the chain have more than"), "{why}");
}
