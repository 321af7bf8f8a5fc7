//! Tests that cannot be made here. A test that is not made says so; in CI, where all that they
//! need is installed, not being made is a failure.

/// Leaves a test out: something is not there that a user may lack.
#[track_caller]
pub(crate) fn skip(needs: &str) {
    assert!(!is_ci(), "CI has to have it: {needs}");
    eprintln!("skipped: needs {needs}");
}

/// Leaves a test out that only another user can make: CI runs them all twice, as root and as
/// a user without capabilities (`make test-as-user`).
pub(crate) fn skip_as_this_user(needs: &str) {
    eprintln!("skipped: needs {needs}");
}

fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
}
