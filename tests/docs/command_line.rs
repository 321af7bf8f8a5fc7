//! The command line, case by case: what is typed, what comes back.

#[test]
fn cli() {
    let nothing = tempfile::tempdir().unwrap();
    let cases = trycmd::TestCases::new();
    cases
        .env("XDG_CONFIG_HOME", nothing.path().to_str().unwrap())
        .env("COLUMNS", "100")
        .case("tests/cli/*.trycmd");
    cases.run();
    // No usage error goes as far as making a key.
    assert_eq!(std::fs::read_dir(nothing.path()).unwrap().count(), 0);
}
