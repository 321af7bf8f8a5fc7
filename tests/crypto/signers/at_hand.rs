//! Keys that this process can read: in memory, in a file, in a variable, in a mounted Secret.

use std::ffi::OsString;

use argo_attest::signer::{Followed, FollowedKey, KeyError, Opening, Signer as _, SigningKey, create_pair};
use argo_attest_core::keys::{KeyType, PrivateKey};
use tempfile::TempDir;

use super::conformance::conforms;
use super::open;
use crate::key_files::Mounted;

#[tokio::test]
async fn a_key_in_memory_in_a_file_and_in_a_variable() {
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("attest.key");
        let key = create_pair(&path, key_type).unwrap();
        conforms(&key).await;
        let path = path.to_str().unwrap();
        let pem = key.to_pkcs8_pem();
        for name in [path, &format!("file://{path}"), &format!("file:{path}"), "env://KEY"] {
            let signer = open(name, &[("KEY", &pem)]).await.unwrap();
            assert_eq!(&signer.public_key(), key.public(), "{name}");
            conforms(signer.as_ref()).await;
        }
    }
}

#[tokio::test]
async fn a_followed_secret() {
    let none = |_: &str| None;
    for key_type in KeyType::ALL {
        let mounted = Mounted::new(&PrivateKey::generate(key_type).unwrap());
        let name = SigningKey::try_from(OsString::from(mounted.key())).unwrap();
        let followed = FollowedKey::load(&name, &Opening::new(&none)).await.unwrap();
        conforms(&followed).await;
        let other = PrivateKey::generate(key_type).unwrap();
        mounted.publish("..2026_11_23_10_00_00.2", &other);
        assert!(matches!(followed.follow(), Followed::Replaced { .. }));
        assert_eq!(&followed.public_key(), other.public());
        conforms(&followed).await;
    }
}

/// A key that was exchanged by whoever may write to the Secret signs nothing where the platform
/// says which key it has to be.
#[tokio::test]
async fn only_the_expected_key_signs() {
    let none = |_: &str| None;
    let (key, other) =
        (PrivateKey::generate(KeyType::Ed25519).unwrap(), PrivateKey::generate(KeyType::Ed25519).unwrap());
    let mounted = Mounted::new(&key);
    let name = SigningKey::try_from(OsString::from(mounted.key())).unwrap();
    let opening = |key: &PrivateKey| Opening::new(&none).expecting(Some(key.public().key_id()));
    for error in [
        name.signer(&opening(&other)).await.map(drop).unwrap_err(),
        name.public_half(&opening(&other)).await.map(drop).unwrap_err(),
        FollowedKey::load(&name, &opening(&other)).await.map(drop).unwrap_err(),
    ] {
        match error {
            KeyError::Unexpected { expected, found, .. } => {
                assert_eq!((expected, found), (other.public().key_id(), key.public().key_id()));
            }
            error => panic!("{error:?}"),
        }
    }
    let followed = FollowedKey::load(&name, &opening(&key)).await.unwrap();
    mounted.publish("..2026_11_23_10_00_00.2", &other);
    assert!(matches!(followed.follow(), Followed::Kept(KeyError::Unexpected { .. })));
    assert_eq!(&followed.public_key(), key.public());
    conforms(&followed).await;
}
