//! sigstore-conformance's cases, all of them: <https://github.com/sigstore/sigstore-conformance>.

use super::given::{Given, cases};

#[test]
fn all_of_sigstores_cases_are_as_expected() {
    let (mut right, mut wrong) = (0, Vec::new());
    for case in cases() {
        let outcome = case.given().and_then(|given| Given::verified(&given).map(drop));
        if outcome.is_err() == case.name.ends_with("_fail") {
            right += 1;
        } else {
            wrong.push(format!("{}: {outcome:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{right} are right, and not these:\n{}", wrong.join("\n"));
    assert_eq!(right, 70);
}
