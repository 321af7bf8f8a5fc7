//! Many artifacts at once: what each may take is no more for their being many.

use std::fs;

use argo_attest_core::dsse::Envelope;
use argo_attest_core::keys::{KeyType, PrivateKey};

use crate::cost::Cost;
use crate::program::Desk;
use crate::signing::Sign as _;

fn desk() -> Desk {
    let desk = Desk::new();
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    fs::write(desk.path("k.pub"), key.public().to_spki_pem()).unwrap();
    fs::create_dir(desk.path("all")).unwrap();
    desk
}

/// As large as one may be, and of as much in it.
fn large() -> Vec<u8> {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let line = Envelope::sign(vec![b'{'; 1 << 20], &key).unwrap().to_json();
    let lines = (16 << 20) / (line.len() + 1);
    [line, b"\n".to_vec()].concat().repeat(lines)
}

#[test]
fn large_attestations_of_many_are_held_one_at_a_time() {
    let desk = desk();
    fs::write(desk.path("all/0.intoto.jsonl"), large()).unwrap();
    for n in 0..6 {
        fs::write(desk.path(format!("all/{n}")), "x").unwrap();
        if n > 0 {
            fs::hard_link(desk.path("all/0.intoto.jsonl"), desk.path(format!("all/{n}.intoto.jsonl")))
                .unwrap();
        }
    }
    Cost::of(&mut desk.program(["verify", "--key=k.pub", "all"])).refuses(1, "6 untrusted of 6");
    let list: Vec<_> = (0..6).map(|n| format!("all/{n}")).collect();
    let named =
        [&["verify", "--key=k.pub", "--bundle=all/0.intoto.jsonl"].map(str::to_owned)[..], &list].concat();
    Cost::of(&mut desk.program(named)).refuses(1, "6 untrusted of 6");
}
