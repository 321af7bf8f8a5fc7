//! `audit` of thousands of objects: of each no more is kept than its name.

use std::fs;

use crate::cost::Cost;
use crate::workshop::{Workshop, uri};

/// Bytes of memory for each object more, of three names: some hundreds are needed, and a record of each
/// takes thousands.
const EACH: u64 = 2048;
const FEW: u64 = 1000;
const MANY: u64 = 4000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes: make interop"]
async fn an_audit_takes_little_memory_for_each_object() {
    let Some(shop) = Workshop::large().await else { return };
    shop.step("out/app.tgz", Vec::new()).await;
    for count in [FEW, MANY] {
        for number in 0..count {
            let place = shop.in_bucket(&format!("{count}/{number:06}/out"));
            fs::create_dir_all(&place).unwrap();
            for end in ["", ".sigstore.json", ".intoto.jsonl"] {
                let name = format!("app.tgz{end}");
                fs::hard_link(shop.in_bucket(&format!("out/{name}")), place.join(&name)).unwrap();
            }
        }
    }
    let taken = |count: u64| {
        let arguments = ["audit", "--key", "keys/attest.pub", "-o", "csv", &uri(&format!("{count}/"))];
        let cost = tokio::task::block_in_place(|| Cost::of(&mut shop.program(&arguments)));
        // They are attested for the place that they were copied from: that is found out of each.
        assert_eq!((cost.code, cost.out.lines().count() as u64), (Some(1), count + 1), "{:.600}", cost.err);
        cost.memory
    };
    let (few, many) = (taken(FEW), taken(MANY));
    let each = many.saturating_sub(few) / (MANY - FEW);
    eprintln!("{few} bytes, {many} bytes: {each} for each object more");
    assert!(each <= EACH, "{each}");
}
