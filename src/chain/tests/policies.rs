//! What of a policy applies to what went into an artifact.

use super::*;

fn policy(shelf: &Shelf, more: &str) -> Policy {
    let text = format!(
        "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{{name: ci, file: ci.pub}}]\n{more}"
    );
    let key = shelf.key.public().clone();
    Policy::from_yaml(text.as_bytes(), |_| Ok::<_, std::io::Error>(key.clone())).unwrap()
}

fn of_builder(shelf: &Shelf, id: &str, more: &str) -> Policy {
    policy(shelf, &format!("builders: [{{id: \"{id}\", keys: [ci]}}]\n{more}"))
}

async fn verdict(shelf: &Shelf, policy: &Policy, input: &ResourceDescriptor) -> Option<String> {
    let chain = shelf.walk_with(vec![input.clone()], policy, Limits::default()).await;
    chain.broken().map(|(_, error)| argo_attest_core::text::causes(error))
}

#[tokio::test]
async fn which_workflow_template_and_age_is_asked_of_the_artifact_alone() {
    let shelf = Shelf::new();
    let mut old = provenance(Vec::new());
    old.run_details.metadata.finished_on = Some(Timestamp::now() - Duration::from_hours(1000));
    let contents = Contents::file("lib", Sha256Digest::of(b"lib"));
    let input = shelf.attest_as("lib", contents, &old).await;
    let of = |expect: &str| of_builder(&shelf, BUILDER, &format!("expect: {{{expect}}}\n"));
    for expect in ["workflow: {name: other}", "template: [other]", "maxAge: 1h", "workflow: {namespace: ci}"]
    {
        assert_eq!(verdict(&shelf, &of(expect), &input).await, None, "{expect}");
    }
    for (expect, why) in [
        ("workflow: {namespace: other}", "the workflow's namespace is \"ci\", not \"other\""),
        ("storedMatch: required", "does not say that the stored object was compared"),
    ] {
        let found = verdict(&shelf, &of(expect), &input).await.unwrap_or_default();
        assert!(found.contains(why), "{expect}: {found}");
    }
}

#[tokio::test]
async fn keys_and_pairs_are_asked_of_every_link() {
    let (shelf, stranger) = (Shelf::new(), Shelf::new());
    let input = shelf.attest("lib", Vec::new()).await;
    assert_eq!(verdict(&shelf, &of_builder(&shelf, BUILDER, ""), &input).await, None);
    for (policy, why) in [
        (stranger.policy(), "not signed with a trusted key"),
        (of_builder(&shelf, "https://other.example.com", ""), "is not trusted for builder"),
        (shelf.policy().only_builder("https://other.example.com".into()), "the builder is"),
    ] {
        let found = verdict(&shelf, &policy, &input).await.unwrap_or_default();
        assert!(found.contains(why), "{why}: {found}");
    }
    let mut expired = TrustedKey::new("ci", shelf.key.public().clone());
    expired.not_after = Some(Timestamp::now() - Duration::from_secs(1));
    let chain = shelf.walk_with(vec![input], &Policy::of_keys(vec![expired]), Limits::default()).await;
    let (_, error) = chain.broken().unwrap();
    let expected = |e: &LinkError| {
        matches!(e, LinkError::Rejected(Rejection::Policy(PolicyViolation::KeyExpired { .. })))
    };
    assert!(expected(error), "{error:?}");
}
