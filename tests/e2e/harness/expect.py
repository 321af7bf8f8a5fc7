"""What must be true of a step once it has ended, output by output."""

import json

from .step import BUILDER
from .verdict import PROVENANCE, sha256, signed_payload, statement
from .waiting import wait_for

OUTCOME = "https://argo-attest.github.io/step-outcome/v1"
BUILD_TYPE = "https://argo-attest.github.io/buildtypes/argo-step/v1"
STRANGE_BUILDER = "https://ci.example.com/another"


def bundle_key(key):
    return key + ".sigstore.json"


def lines_key(key):
    return key + ".intoto.jsonl"


def outcome_key(pod):
    return f"{pod.prefix()}/argo-attest-outcome-{pod.uid}.sigstore.json"


def message_of(pod, output):
    """The termination message's entry for an output."""
    entries = pod.message().get("artifacts", [])
    found = [entry for entry in entries if entry.get("name") == output.name]
    assert len(found) == 1, f"{output.name}: {len(found)} entries in {pod.message()}"
    return found[0]


def outcome(case, pod):
    """The predicate of the signed outcome."""
    bundle = case.s3.get(outcome_key(pod))
    told = statement(bundle, case.keys.public)
    assert told["predicateType"] == OUTCOME, told["predicateType"]
    return told["predicate"]


def fate(case, pod, output):
    """What the signed outcome says of an output."""
    told = outcome(case, pod)
    found = [entry for entry in told["outputs"] if entry["name"] == output.name]
    assert len(found) == 1, f"{output.name}: {len(found)} entries in {told}"
    return found[0]


def objects_of(case, pod, output):
    """The keys that hold the output: one, or one a file."""
    key = output.stored_as(pod.prefix())
    below = [k for k in case.s3.list(key + "/") if not k.endswith((".sigstore.json", ".intoto.jsonl"))]
    return below or [key]


def attested(case, pod, output):
    """The output is attested, everybody agrees, and only the right bytes are accepted."""
    key = output.stored_as(pod.prefix())
    entry = message_of(pod, output)
    assert entry["verdict"] == "attested", entry
    assert entry["attestation"] == case.s3.uri(bundle_key(key)), entry
    told = fate(case, pod, output)
    assert told["verdict"] == "attested", told
    bundle = case.s3.get(bundle_key(key))
    told = statement(bundle, case.keys.public)
    right_statement(pod, told)
    lines = case.s3.get(lines_key(key)).splitlines()
    assert json.loads(lines[-1])["payload"] == json.loads(bundle)["dsseEnvelope"]["payload"]
    signed_payload(json.loads(lines[-1]), case.keys.public)
    for stored in objects_of(case, pod, output):
        only_the_right_bytes(case, stored, bundle, lines[-1], told)
    return told


def right_statement(pod, told):
    assert told["predicateType"] == PROVENANCE, told["predicateType"]
    definition, details = told["predicate"]["buildDefinition"], told["predicate"]["runDetails"]
    assert definition["buildType"] == BUILD_TYPE, definition["buildType"]
    assert details["builder"]["id"] == BUILDER, details["builder"]
    ids = [pod.running.uid, pod.node_id(), pod.uid]
    assert details["metadata"]["invocationId"] == "/".join(ids), details["metadata"]
    workflow = definition["externalParameters"]["workflow"]
    assert workflow["name"] == pod.running.name, workflow


def only_the_right_bytes(case, key, bundle, line, told):
    """The object verifies by our key and builder, and nothing else does."""
    right = case.s3.get(key)
    digests = [subject["digest"].get("sha256") for subject in told["subject"]]
    assert sha256(right) in digests, f"{key}: {sha256(right)} is not among {digests}"
    case.verifier.accepted(key)
    case.verifier.refused(key, public=case.keys.stranger)
    case.verifier.refused(key, builder=STRANGE_BUILDER)
    wrong = bytes([right[0] ^ 1]) + right[1:] if right else b"no longer empty"
    case.suite.others.agree(case.keys.public, bundle, line, right, wrong)
    case.s3.put(key, wrong)
    try:
        case.verifier.refused(key)
    finally:
        case.s3.put(key, right)
    case.verifier.accepted(key)


def not_attested(case, pod, output, fates=("refused",), reason=None):
    """Neither the message nor the outcome nor the store says that it is attested."""
    key = output.stored_as(pod.prefix())
    entry = message_of(pod, output)
    assert entry["verdict"] in fates, entry
    assert reason is None or reason in entry["reason"], f"{reason!r} is not in {entry}"
    told = fate(case, pod, output)
    assert told["verdict"] in fates, told
    nothing_verifies(case, pod, output)
    return entry


def nothing_verifies(case, pod, output):
    """No attestation lies beside it, and what lies there is not accepted."""
    key = output.stored_as(pod.prefix())
    assert not case.s3.exists(bundle_key(key)), f"{bundle_key(key)} is there"
    assert not case.s3.exists(lines_key(key)), f"{lines_key(key)} is there"
    for stored in objects_of(case, pod, output):
        if case.s3.exists(stored):
            case.verifier.refused(stored)


def succeeded(running, seconds=90):
    phase = running.finished(seconds)
    assert phase == "Succeeded", f"{running.name}: {phase}; {told(running)}"


def succeeded_or_lost_emissary(case, running, seconds=90):
    """As `succeeded`, for plain sidecars on a machine with much to do: Argo's emissary that is told to
    end a second time, after our program has ended well, ends with 2 and fails the step
    (docs/sidecar.md). All has to be attested even then."""
    phase = running.finished(seconds)
    if phase == "Succeeded":
        return
    lost = [pod for pod in running.pods() if pod.ended().get("exitCode") == 2]
    attested = [pod for pod in lost if pod.message().get("notAttested") == 0 and pod.message().get("attested")]
    others = [pod for pod in running.pods() if pod.ended().get("exitCode") not in (0, 2)]
    assert lost and lost == attested and not others, f"{running.name}: {phase}; {told(running)}"
    case.note(f"the emissary of {len(lost)} pods was told to end twice, and ended with 2")


def failed(running, seconds=90):
    phase = running.finished(seconds)
    assert phase in ("Failed", "Error"), f"{running.name}: {phase}; {told(running)}"


def told(running):
    """What Argo says of each pod's node that did not succeed, and what our container says."""
    nodes = [n for n in running.nodes() if n.get("type") == "Pod" and n.get("phase") != "Succeeded"]
    pods = {pod.node_id(): pod for pod in running.pods()}

    def ours(node):
        pod = pods.get(node["id"])
        return pod and {pod.name: [pod.container().get(at) for at in ("state", "lastState")]}

    return [(node.get("phase"), node.get("message"), ours(node)) for node in nodes]


def exit_code(pod, wanted):
    code = pod.ended()["exitCode"]
    assert code == wanted, f"{pod.name}: our container's exit code is {code}, not {wanted}"


def says(pod, text, seconds=30):
    """Our container's messages, past and present, or its log hold `text`."""

    def found():
        status = pod.again().container()
        states = [status.get("state", {}), status.get("lastState", {})]
        told = " ".join(s.get("terminated", {}).get("message", "") for s in states)
        try:
            told += pod.logs() + pod.logs(previous="true")
        except Exception:  # not started, or not restarted, yet
            pass
        return text in told

    wait_for(f"{text!r} from our container in {pod.name}", seconds, found, 0.5)
