//! Workflows from anybody: never a result that differs from the input by more than added
//! lines or that a second time would change, and never one that could not be proven.
#![no_main]

use argo_attest_core::inject::{Mode, Refusal, RunAs, Settings, inject, remove};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let name = |name: &str| name.parse().unwrap();
    let settings = Settings {
        all: first & 1 != 0,
        mode: if first & 2 == 0 { Mode::Native } else { Mode::Sidecar },
        store_secrets: if first & 4 == 0 { vec![name("s3")] } else { Vec::new() },
        grace_period: (first & 8 != 0).then_some(60),
        not_ready_fails: first & 32 != 0,
        run_as: if first & 16 != 0 { RunAs::User(1000) } else { RunAs::Main },
        pull_secrets: if first & 64 == 0 { Vec::new() } else { vec![name("regcred")] },
        ..Settings::new("registry.example/argo-attest:1", "https://ci.example.com/argo")
    };
    if let Err(Refusal::Unproven { what }) = remove(text, &[]) {
        panic!("{what}");
    }
    match inject(text, &settings) {
        Ok(done) => {
            let again = inject(&done.text, &settings).expect("what was made is taken");
            assert_eq!(again.text, done.text);
            // What was there before may have been ours already.
            let left = remove(&done.text, &[]).expect("what was put in can be taken out");
            if remove(text, &[]).is_ok_and(|before| before.text == text) {
                assert_eq!(left.text, text);
            }
        }
        Err(Refusal::Unproven { what }) => panic!("{what}"),
        Err(_) => {}
    }
});
