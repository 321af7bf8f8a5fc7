//! Files that say how an API server is reached: reading them ends, and no error repeats what is in them.
#![no_main]

use argo_attest_core::kubeconfig::{self, User};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "s3cr3t-t0ken";

fuzz_target!(|bytes: &[u8]| {
    match kubeconfig::access(&[("kube/config".into(), bytes.to_vec())]) {
        Ok(access) => {
            let told = format!("{access:?}");
            let is_elsewhere = access.server.contains(SECRET)
                || access.namespace.as_ref().is_some_and(|namespace| namespace.contains(SECRET))
                || told.contains("File(");
            assert!(is_elsewhere || !told.contains(SECRET), "{told}");
            if let User::Exec(exec) = &access.user {
                assert!(!exec.command.as_os_str().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().chars().any(char::is_control)),
    }
});
