//! Where attestations are put: beside their objects, or apart.

use serde_json::json;

use crate::output::{Output, PREFIX, Packing, Place, Shape};
use crate::pod::{Pod, entry};
use crate::s3::S3;

const FAN_OUT: &str = "wf[1].map(0:1)";

/// What of the attestations of `out` lies in the store.
fn placed(s3: &S3, key: &str) -> [bool; 2] {
    let keys = s3.keys();
    let has = |prefix: &str| {
        let names = [".sigstore.json", ".intoto.jsonl"].map(|suffix| format!("{prefix}{key}{suffix}"));
        let all = names.iter().filter(|name| keys.contains(name)).count();
        assert!(all == 0 || all == 2, "{keys:?}");
        all == 2
    };
    [has(""), has(".attestations/")]
}

/// Where the attestations of an output are, and that `verify` finds them.
fn attests(output: &Output, set: impl FnOnce(Pod) -> Pod) -> [bool; 2] {
    let s3 = S3::new();
    let pod = set(Pod::new(s3.address(), vec![output.clone()]));
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &json!(1)), "{message}");
    pod.assert_accepted(output);
    placed(&s3, &output.key())
}

#[test]
fn beside_unless_something_else_is_asked_for() {
    let (beside, apart) = ([true, false], [false, true]);
    let keyed = || Output::plain("out").keyed("run-7/parts/0.json");
    assert_eq!(attests(&Output::plain("out"), |pod| pod), beside);
    assert_eq!(attests(&keyed(), |pod| pod), beside);
    // The step's own word, before the deployment's, before what is best.
    let says = |pod: Pod, place: &str| {
        let mut pod = pod;
        pod.template["metadata"]["annotations"]["argo-attest.io/place-attestations"] = json!(place);
        pod
    };
    assert_eq!(attests(&Output::plain("out"), |pod| says(pod, "apart")), apart);
    assert_eq!(attests(&keyed(), |pod| pod.env("ARGO_ATTEST_ATTESTATIONS", "apart")), apart);
    let set = |pod: Pod| says(pod.env("ARGO_ATTEST_ATTESTATIONS", "apart"), "beside");
    assert_eq!(attests(&keyed(), set), beside);
}

/// Many nodes put theirs beneath one prefix, and the next step takes that.
#[test]
fn apart_by_itself_for_the_keyed_outputs_of_a_fan_out() {
    let keyed = || Output::plain("out").keyed("run-7/parts/0.json");
    for node in [FAN_OUT, "wf.map(12:a b)(1)", "wf[0].map(0:x)[0].inner"] {
        assert_eq!(attests(&keyed(), |pod| pod.env("ARGO_ATTEST_NODE_NAME", node)), [false, true], "{node}");
    }
    // A retry is none; and what has no key lies beneath the node's own prefix.
    assert_eq!(attests(&keyed(), |pod| pod.env("ARGO_ATTEST_NODE_NAME", "wf.build(0)")), [true, false]);
    let set = |pod: Pod| pod.env("ARGO_ATTEST_NODE_NAME", FAN_OUT);
    assert_eq!(attests(&Output::plain("out"), set), [true, false]);
    let set = |pod: Pod| set(pod).env("ARGO_ATTEST_ATTESTATIONS", "beside");
    assert_eq!(attests(&keyed(), set), [true, false]);
}

/// A directory's key may end in a slash: its attestation lies beside the directory, not in it.
#[test]
fn beside_a_directory_whose_key_ends_in_a_slash() {
    let s3 = S3::new();
    let output = Output::new("out", (Place::Volume, Packing::None, Shape::Directory)).keyed("run-7/dir/");
    let pod = Pod::new(s3.address(), vec![output.clone()]);
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &json!(1)), "{message}");
    assert_eq!(placed(&s3, "run-7/dir"), [true, false]);
    let within: Vec<_> = s3.keys().into_iter().filter(|key| key.starts_with("run-7/dir/")).collect();
    assert_eq!(within.len(), output.files.len(), "{within:?}");
}

/// Whoever looks for an attestation must not find a step's output.
#[test]
fn no_output_lies_among_the_attestations() {
    let s3 = S3::new();
    let planted = [format!(".attestations/{PREFIX}/victim-data.sigstore.json"), ".attestations/x".to_owned()];
    let outputs = planted.iter().enumerate();
    let mut outputs: Vec<_> = outputs.map(|(n, key)| Output::plain(&format!("p{n}")).keyed(key)).collect();
    outputs.push(Output::plain("victim"));
    let pod = Pod::new(s3.address(), outputs);
    let mut sidecar = pod.start_ready();
    let (_, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(message["attested"], json!(0), "{message}");
    let reason = |name: &str| entry(&message["artifacts"], name)["reason"].as_str().unwrap().to_owned();
    for name in ["p0", "p1"] {
        assert!(reason(name).contains("beneath .attestations/, where attestations are kept"), "{message}");
    }
    // Argo stores it there all the same, whatever this program says.
    assert!(reason("victim").contains("is also that of the output \"p0\""), "{message}");
}
