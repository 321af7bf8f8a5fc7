//! How the program is linked while it is worked on.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|found| found == value);
    // Tests start it some thousand times, and half of a start is moving pointers of half a megabyte to where it
    // was loaded, which a place of its own spares. What is shipped stays where nobody knows beforehand.
    let is_tested = is("PROFILE", "debug") && is("CARGO_CFG_TARGET_OS", "linux");
    if is_tested && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
