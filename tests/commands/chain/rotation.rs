//! Keys that follow one another: each attestation verifies under exactly one.

use argo_attest_core::keys::PrivateKey;

use crate::workshop::{BUILDER, Workshop, uri};

struct Rotation {
    shop: Workshop,
    old: PrivateKey,
    new: PrivateKey,
}

impl Rotation {
    async fn new() -> Self {
        let shop = Workshop::new().await;
        for directory in ["old", "new"] {
            shop.desk.run(["keygen", "--out-dir", directory]).with(0);
        }
        let (old, new) = (shop.key("old"), shop.key("new"));
        Self { shop, old, new }
    }

    /// A policy with both keys, each with these limits in time.
    fn policy(&self, old: &str, new: &str) -> &'static str {
        let policy = format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n\
             keys:\n- {{name: old, file: old/attest.pub{old}}}\n- {{name: new, file: new/attest.pub{new}}}\n\
             builders: [{{id: \"{BUILDER}\", keys: [old, new]}}]\n"
        );
        self.shop.desk.write("policy.yaml", policy);
        "policy.yaml"
    }

    fn verify(&self, arguments: &[&str]) -> crate::program::Ended {
        self.shop.run(&[&["verify"], arguments].concat())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attestation_verifies_under_exactly_one_key() {
    let rotation = Rotation::new().await;
    let (shop, old, new) = (&rotation.shop, &rotation.old, &rotation.new);
    shop.step_by(old, "before", Vec::new()).await;
    shop.step_by(new, "after", Vec::new()).await;
    for (object, good, bad) in [("before", "old", "new"), ("after", "new", "old")] {
        let (good, bad) = (format!("{good}/attest.pub"), format!("{bad}/attest.pub"));
        rotation.verify(&["--key", &good, &uri(object)]).with(0);
        rotation.verify(&["--key", &bad, &uri(object)]).with(1).says("not signed with a trusted key");
        // With both, whichever comes first, the one that did sign is named.
        for keys in [[&good, &bad], [&bad, &good]] {
            let ended = rotation.verify(&["--key", keys[0], "--key", keys[1], &uri(object)]).with(0);
            assert!(ended.out.contains(&format!("signed with {good} (")), "{ended:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_says_when_a_key_counts() {
    let rotation = Rotation::new().await;
    let (shop, old, new) = (&rotation.shop, &rotation.old, &rotation.new);
    let before = shop.step_by(old, "before", Vec::new()).await;
    shop.step_by(new, "after", vec![before]).await;
    let (past, future) = ("2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z");
    let (not_before, not_after) = (|t| format!(", notBefore: {t}"), |t| format!(", notAfter: {t}"));
    let judged = |limits: [&str; 2], object: &str, code: i32, says: &str| {
        let policy = rotation.policy(limits[0], limits[1]);
        rotation.verify(&["--policy", policy, &uri(object)]).with(code).says(says);
    };

    // While both count.
    let both = [&*not_after(future), &*not_before(past)];
    judged(both, "before", 0, "signed with old");
    judged(both, "after", 0, "signed with new");
    // When the old one has gone.
    let gone = [&*not_after(past), &*not_before(past)];
    judged(gone, "before", 1, "key old is accepted only until 2001-01-01T00:00:00Z");
    judged(gone, "after", 0, "signed with new");
    // Before the new one has come.
    let early = [&*not_after(future), &*not_before(future)];
    judged(early, "before", 0, "signed with old");
    judged(early, "after", 1, "key new is accepted only from 2999-01-01T00:00:00Z");

    // A chain across the rotation holds while both count.
    let chain = |limits: [&str; 2]| {
        rotation.verify(&["--chain", "--policy", rotation.policy(limits[0], limits[1]), &uri("after")])
    };
    chain(both).with(0).says("as before, signed with old (");
    chain(gone).with(1).says("its chain fails at inputs/before: key old is accepted only until");
    chain(["", ""]).with(0);
}
