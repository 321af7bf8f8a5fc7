//! A step on a server: everything that Argo can do with an output, attested, and accepted by a
//! consumer; then all of it again with other bytes, so that attestations are replaced.

use serde_json::Value;

use super::server::Server;
use crate::output::{ALL, Output, Packing, Shape};
use crate::pod::{Pod, entry};
use crate::s3::S3;
use crate::servers;

#[derive(Debug)]
pub(crate) struct Step {
    /// Kinds of outputs, and why they are not attested where they are not.
    pub(crate) kinds: Vec<(&'static str, Option<String>)>,
    /// What the sidecar did without.
    pub(crate) without: Option<String>,
}

const KINDS: [&str; 4] = ["none", "directory", "tar", "zip"];

fn kind(output: &Output) -> &'static str {
    match (output.packing, output.shape) {
        (Packing::None, Shape::File) => KINDS[0],
        (Packing::None, Shape::Directory) => KINDS[1],
        (Packing::Tar, _) => KINDS[2],
        (Packing::Zip, _) => KINDS[3],
    }
}

/// `crc`: whether Argo's client sends its CRC-64/NVME.
pub(crate) fn attested(server: &Server, crc: bool) -> Step {
    let s3 = if crc {
        S3::at(&server.endpoint, servers::sdk(&server.endpoint))
    } else {
        S3::at(&server.endpoint, server.sdk()).without_checksums()
    };
    let outputs: Vec<_> = ALL.iter().enumerate().map(|(n, of)| Output::new(&format!("o{n}"), *of)).collect();
    let mut pod = Pod::new(s3.address(), outputs);
    let mut step = Step { kinds: KINDS.map(|kind| (kind, None)).to_vec(), without: None };
    for round in 0..2 {
        let _ = std::fs::remove_dir_all(pod.argo().join("ctr"));
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!(code, Some(0), "{message}\n{}", sidecar.logged());
        assert!(message["outcome"].is_string(), "round {round}: {message}\n{}", sidecar.logged());
        let outcome = pod.outcome(&s3);
        for output in &pod.outputs {
            let told = entry(&outcome["predicate"]["outputs"], &output.name);
            if told["verdict"] == "attested" {
                pod.assert_accepted(output);
            } else if let Some((_, why)) = step.kinds.iter_mut().find(|(known, _)| *known == kind(output)) {
                *why = Some(told["reason"].as_str().unwrap_or_default().to_owned());
            }
        }
        step.without = step.without.or_else(|| without(&sidecar.logged()));
        pod.outputs = pod.outputs.iter().map(Output::altered).collect();
    }
    step
}

fn without(log: &str) -> Option<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let learnt = lines.filter(|line| line.to_string().contains("does not take all that is asked of it"));
    learnt.filter_map(|line| line["now"].as_str().map(str::to_owned)).next_back()
}
