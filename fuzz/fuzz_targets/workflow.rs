//! Workflows from anybody: never a result that differs from the input by more than added
//! lines or that a second time would change, and never one that could not be proven.
#![no_main]

use argo_attest_core::inject::{Mode, Refusal, Settings, inject};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let name = |name: &str| name.parse().unwrap();
    let settings = Settings {
        image: "registry.example/argo-attest:1".into(),
        builder_id: "https://ci.example.com/argo".into(),
        all: first & 1 != 0,
        mode: if first & 2 == 0 { Mode::Native } else { Mode::Sidecar },
        key_secret: name("argo-attest-key"),
        policy_configmap: name("argo-attest-policy"),
        attestation_store: None,
        store_secrets: if first & 4 == 0 { vec![name("s3")] } else { Vec::new() },
        grace_period: (first & 8 != 0).then_some(60),
        not_ready_fails: first & 32 != 0,
        run_as_user: (first & 16 != 0).then_some(1000),
    };
    match inject(text, &settings) {
        Ok(done) => {
            // YAML's lines may also end with a carriage return alone.
            let mut lines = done.text.split(['\n', '\r']);
            assert!(text.split(['\n', '\r']).all(|old| lines.any(|new| new == old)));
            let again = inject(&done.text, &settings).expect("what was made is taken");
            assert_eq!(again.text, done.text);
        }
        Err(Refusal::Unproven { what }) => panic!("{what}"),
        Err(_) => {}
    }
});
