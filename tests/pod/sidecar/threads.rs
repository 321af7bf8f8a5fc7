//! What a sidecar takes of the machine that main works on.

use serde_json::json;

use crate::namespace::Mount;
use crate::output::{Output, PREFIX};
use crate::pod::Pod;
use crate::process::Sidecar;
use crate::s3::S3;

/// The names of its threads.
fn threads(sidecar: &Sidecar) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", sidecar.pid())).unwrap();
    // One may end while it is looked at.
    tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
}

/// A thread for each core that the sidecar may use, whatever the number of volumes.
#[test]
fn volumes_share_the_threads_that_digest() {
    let s3 = S3::new();
    let cores = std::thread::available_parallelism().unwrap().get();
    for volumes in [1, 4] {
        let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
        for n in 1..volumes {
            let at = pod.at(&format!("volume-{n}"));
            std::fs::create_dir(&at).unwrap();
            let mount = json!({"name": format!("volume-{n}"), "mountPath": at});
            pod.template["container"]["volumeMounts"].as_array_mut().unwrap().push(mount);
            let path = at.join(format!("out-{n}"));
            let output = json!({"name": format!("out-{n}"), "path": path, "archive": {"none": {}}});
            pod.template["outputs"]["artifacts"].as_array_mut().unwrap().push(output);
            pod.mounts.push(Mount::volume(&at));
        }
        let mut sidecar = pod.start_ready();
        let found = threads(&sidecar);
        let digesting = found.iter().filter(|name| name.starts_with("digest-")).count();
        assert_eq!(digesting, cores, "for {volumes} volumes: {found:?}");
        let observing = found.iter().filter(|name| name.starts_with("observer")).count();
        assert_eq!(observing, volumes, "each volume is watched: {found:?}");
        for n in 1..volumes {
            std::fs::write(pod.at(&format!("volume-{n}/out-{n}")), "content").unwrap();
            s3.put(&format!("{PREFIX}/out-{n}"), b"content");
        }
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &volumes.into()), "{message}");
    }
}
