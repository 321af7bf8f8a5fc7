//! Many objects with one call.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::servers::{self, BUCKET};
use crate::voucher::{Voucher, uri};

/// A store that answers nobody who comes alone: the first connection has to wait for a second,
/// and is closed if there is none in time.
async fn sociable(endpoint: &str) -> String {
    let upstream = endpoint.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (came, seen) = watch::channel(0);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            came.send_modify(|count| *count += 1);
            let (upstream, mut seen) = (upstream.clone(), seen.clone());
            tokio::spawn(async move {
                if timeout(Duration::from_secs(20), seen.wait_for(|count| *count >= 2)).await.is_ok() {
                    let mut server = TcpStream::connect(upstream).await.unwrap();
                    // Who hangs up has what was wanted.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_attested_at_the_same_time() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&sociable(&servers::s3s_fs(server.path()).await).await);
    let names: Vec<_> = (0..40).map(|number| format!("{number:02}.bin")).collect();
    for name in &names {
        fs::write(server.path().join(BUCKET).join(name), name).unwrap();
    }
    let uris: Vec<_> = names.iter().map(|name| uri(name)).collect();
    let ended = voucher.attest(&uris.iter().map(String::as_str).collect::<Vec<_>>()).with(0);
    let told: Vec<_> = ended.out.lines().filter_map(|line| line.strip_prefix("attested      ")).collect();
    let expected: Vec<_> = uris.iter().map(|uri| format!("{uri} (6 B)")).collect();
    assert_eq!(told, expected);
    voucher.verify(&[&uri("")]).with(0).says("40 attested of 40");
}

/// Each has an answer of its own, in their order, whichever of them cannot be attested.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_attested_hides_no_other() {
    let server = tempfile::tempdir().unwrap();
    let voucher = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    for name in ["a", "b", "c"] {
        fs::write(bucket.join(name), name).unwrap();
    }
    fs::write(bucket.join("b.sigstore.json"), "mine").unwrap();
    let all = ["gone", "a", "b", "c", "a"].map(uri);
    let ended = voucher.attest(&["--json", &all[0], &all[1], &all[2], &all[3]]).with(1);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    let told =
        |json: &Value| (json["artifact"].as_str().unwrap().to_owned(), json["attested"].as_bool().unwrap());
    let told: Vec<_> = json["artifacts"].as_array().unwrap().iter().map(told).collect();
    let expected = [(&all[0], false), (&all[1], true), (&all[2], false), (&all[3], true)];
    assert_eq!(told, expected.map(|(uri, attested)| (uri.clone(), attested)));
    assert_eq!(fs::read(bucket.join("b.sigstore.json")).unwrap(), b"mine");
    // One that is named twice is attested twice.
    let twice = voucher.attest(&[&all[1], &all[4]]).with(0);
    assert_eq!(twice.out.matches("attested      ").count(), 2, "{twice:?}");
}
