"""Inputs checked before main: what is attested starts, and nothing else does."""

import base64
import json

from harness import expect
from harness.scenario import scenario
from harness.step import BUILDER, Output, Step
from harness.verdict import sha256, statement
from harness.waiting import wait_for

GATE = "argo-attest-gate"
MARKER = "marker"
# The line as the gate begins it; Argo shows it as the failed node's message.
REFUSED = 'input "app" is not accepted: '

FILE = "head -c 100000 /dev/urandom > {0}"
FOLDER = "mkdir -p {0}/a/b && echo one > {0}/one && echo two > {0}/a/b/two && : > {0}/a/empty"
PACKINGS = {
    "base-tar": (Output("app", "/tmp/app.bin", "tar"), FILE),
    "base-none": (Output("app", "/tmp/app.bin", "none"), FILE),
    "volume-tar": (Output("app", "/data/app.bin", "tar"), FILE),
    "volume-none": (Output("app", "/data/app.bin", "none"), FILE),
    "base-folder-tar": (Output("app", "/srv/app", "tar"), FOLDER),
    "volume-folder-none": (Output("app", "/data/app", "none"), FOLDER),
    "volume-folder-zip": (Output("app", "/data/app", "zip"), FOLDER),
}
PLAIN = PACKINGS["volume-none"]
# Where the consumer finds it: on a volume of main's, or with a mount of its own.
PATHS = {"volume": "/data/in/app", "own-mount": "/srv/in/app"}


class Policy:
    """A ConfigMap with a policy and the key that it names."""

    def __init__(self, case, public=None, key="", rest=""):
        self.name = f"e2e-policy-{case.keys.secret}-{abs(hash((case.name, rest))) % 10**8}"
        with open(public or case.keys.public, encoding="ascii") as file:
            pem = file.read()
        policy = (
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n"
            f"keys:\n- {{name: ci, file: ci.pub{key}}}\n"
            f'builders:\n- {{id: "{BUILDER}", keys: [ci]}}\n{rest}'
        )
        case.kube.create_config_map(self.name, {"policy.yaml": policy, "ci.pub": pem})
        case.later(case.kube.delete_config_map, self.name)


def produced(case, packing=PLAIN):
    """The key of an output that a step has made and that is attested."""
    output, script = packing
    running = case.submit(Step(name="produce", script=script.format(output.path), outputs=[output]))
    pod = running.pod()
    expect.succeeded(running)
    key = output.stored_as(pod.prefix())
    assert case.s3.exists(expect.bundle_key(key)), f"{key} is not attested"
    return key


def gate(settings, added, env=None):
    return {
        "name": GATE,
        "image": settings.image,
        "imagePullPolicy": settings.pull_policy,
        "args": ["verify-inputs"],
        "mirrorVolumeMounts": True,
        "env": [{"name": name, "value": value} for name, value in (env or {}).items()],
        "securityContext": {
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], **({"add": added} if added else {})},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "argo-attest-policy", "mountPath": "/etc/argo-attest/policy", "readOnly": True},
            {"name": "argo-attest-evidence", "mountPath": "/run/argo-attest"},
            {"name": "store", "mountPath": f"/argo/secret/{settings.s3_secret}", "readOnly": True},
        ],
    }


def consumer(case, policy, artifact, opted_in=True, script="", capabilities=None, env=None):
    """A step that takes the artifact, and whose main leaves a marker."""
    out = Output(MARKER, f"/data/{MARKER}", "none")
    sidecar = Step()._common(case.settings)["volumeMounts"]
    return out, Step(
        name="consume",
        script=f"{script} echo started > {out.path}",
        outputs=[out],
        opted_in=opted_in,
        before=[gate(case.settings, capabilities, env)],
        template={
            "inputs": {"artifacts": [{"name": "app", **artifact}]},
            "volumes": [
                {"name": "argo-attest-policy", "configMap": {"name": policy.name}},
                {"name": "argo-attest-evidence", "emptyDir": {}},
            ],
        },
        ours={
            "volumeMounts": [
                *sidecar,
                {"name": "argo-attest-evidence", "mountPath": "/run/argo-attest", "readOnly": True},
            ]
        },
    )


def takes(key, packing=PLAIN, path=PATHS["volume"], **more):
    """The input as Argo passes an output on: with the strategy by which it was packed."""
    archive = packing[0].archive
    packed = {} if archive == "tar" else {"archive": {archive: {}}}
    return {"path": path, "s3": {"key": key}, **packed, **more}


def said(pod):
    """The gate's exit code and its one line."""
    ended = pod.again().container(GATE).get("state", {}).get("terminated", {})
    message = ended.get("message", "")
    assert len(message.splitlines()) <= 1, message
    return ended.get("exitCode"), message


def starts(case, step, out):
    """Main runs, and the step is attested as if there were no gate."""
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    code, message = said(pod)
    assert code == 0, message
    case.note(message)
    return expect.attested(case, pod, out)


def never_starts(case, step, out, reason, code=1):
    """The step fails at once, its message says why, and main left no marker."""
    running = case.submit(step)
    pod = running.pod()
    expect.failed(running)
    ended, message = said(pod)
    assert ended == code and reason in message, f"{ended}: {message!r}, not {code}: {reason!r}"
    assert not pod.again().main_started(), "main has started"
    marker = out.stored_as(pod.prefix())
    assert not case.s3.exists(marker), f"main's marker is there: {marker}"
    told = [node.get("message", "") for node in running.nodes()]
    assert any(message[:80] in text for text in told), f"Argo does not show it: {told}"
    case.note(message)


# Argo unpacks a zip's directories with mode 0666: nobody may enter them who is not root with
# this capability.
ENTERS_ALL = {"volume-folder-zip": ["DAC_OVERRIDE"]}


def accepted(case, packing, path):
    """Staged by Argo itself; the next statement names the attestation of this input."""
    capabilities = ENTERS_ALL.get(packing)
    packing = PACKINGS[packing]
    key = produced(case, packing)
    taken = takes(key, packing, PATHS[path])
    out, step = consumer(case, Policy(case), taken, capabilities=capabilities)
    told = starts(case, step, out)
    dependencies = told["predicate"]["buildDefinition"]["resolvedDependencies"]
    found = next(d for d in dependencies if d["name"] == "inputs/app")
    bundle = case.s3.get(expect.bundle_key(key))
    attestation = {"uri": case.s3.uri(expect.bundle_key(key)), "sha256": sha256(bundle)}
    assert found["annotations"]["attestation"] == attestation, found
    if case.s3.exists(key):
        assert found["digest"] == {"sha256": sha256(case.s3.get(key))}, found


for _path in PATHS:
    for _packing in PACKINGS:
        scenario(f"gate/accepted/{_path}/{_packing}", packing=_packing, path=_path)(accepted)


@scenario("gate/refused/unreadable")
def unreadable(case):
    packing = PACKINGS["volume-folder-zip"]
    key = produced(case, packing)
    out, step = consumer(case, Policy(case), takes(key, packing))
    never_starts(case, step, out, REFUSED + "/data/in/app/a is staged, and cannot be verified: permission denied")


def swap(case, key):
    right = case.s3.get(key)
    case.s3.put(key, right[:-1] + bytes([right[-1] ^ 1]))


def move(case, key):
    """Everything about the pair is right but where it is."""
    other = produced(case)
    for suffix in ("", ".sigstore.json", ".intoto.jsonl"):
        case.s3.put(key + suffix, case.s3.get(other + suffix))


def take_away(case, key):
    case.s3.delete(expect.bundle_key(key))
    case.s3.delete(expect.lines_key(key))


def empty(case, key):
    case.s3.put(expect.bundle_key(key), b"")


def truncate(case, key):
    bundle = case.s3.get(expect.bundle_key(key))
    case.s3.put(expect.bundle_key(key), bundle[: len(bundle) // 2])


def alter(case, key):
    bundle = json.loads(case.s3.get(expect.bundle_key(key)))
    signature = bundle["dsseEnvelope"]["signatures"][0]
    raw = bytearray(base64.b64decode(signature["sig"]))
    raw[5] ^= 1
    signature["sig"] = base64.b64encode(raw).decode()
    case.s3.put(expect.bundle_key(key), json.dumps(bundle, separators=(",", ":")).encode())


def nothing(_case, _key):
    pass


def refused(case, meddle, reason, **policy):
    key = produced(case)
    meddle(case, key)
    if policy.pop("stranger", False):
        policy["public"] = case.keys.stranger
    out, step = consumer(case, Policy(case, **policy), takes(key))
    never_starts(case, step, out, REFUSED + reason)


WARN = "missing: warn\n"
for _name, _how in {
    "swapped": {"meddle": swap, "reason": "its digest sha256:"},
    "moved-with-attestation": {"meddle": move, "reason": "the attestation is about s3://"},
    "stranger": {"meddle": nothing, "reason": "not signed with a trusted key", "stranger": True},
    "expired": {"meddle": nothing, "reason": "key ci is accepted only until", "key": ", notAfter: 2020-01-01T00:00:00Z"},
    "missing": {"meddle": take_away, "reason": "no attestation: looked for s3://"},
    "empty": {"meddle": empty, "reason": "the attestation is malformed", "rest": WARN},
    "truncated": {"meddle": truncate, "reason": "the attestation is malformed", "rest": WARN},
    "altered": {"meddle": alter, "reason": "", "rest": WARN},
    "old": {"meddle": nothing, "reason": "the build finished on", "rest": "expect: {maxAge: 1ms}\n"},
    "another-workflow": {
        "meddle": nothing,
        "reason": "the workflow's name is",
        "rest": "expect: {workflow: {name: other-*}}\n",
    },
    "another-template": {
        "meddle": nothing,
        "reason": "the template is",
        "rest": "expect: {template: [other]}\n",
    },
}.items():
    scenario(f"gate/refused/{_name}", **_how)(refused)


@scenario("gate/warned/missing")
def warned(case):
    key = produced(case)
    take_away(case, key)
    out, step = consumer(case, Policy(case, rest=WARN), takes(key))
    starts(case, step, out)


@scenario("gate/raw")
def raw(case):
    """Text in the template is compared with what is staged, and goes on record."""
    artifact = {"path": PATHS["own-mount"], "raw": {"data": "text"}}
    out, step = consumer(case, Policy(case), artifact)
    told = starts(case, step, out)
    dependencies = told["predicate"]["buildDefinition"]["resolvedDependencies"]
    found = [d for d in dependencies if d.get("digest", {}).get("sha256") == sha256(b"text")]
    assert found, dependencies


@scenario("gate/optional-absent")
def optional_absent(case):
    for path in PATHS.values():
        artifact = {"path": path, "s3": {"key": "e2e/nothing/there"}, "optional": True}
        policy = Policy(case)
        out, step = consumer(case, policy, artifact)
        starts(case, step, out)
        case.kube.delete_config_map(policy.name)


@scenario("gate/not-asked")
def not_asked(case):
    """A gate that is there checks, though the step asks for nothing; unless the platform said
    that only steps that ask are checked.
    """
    key = produced(case)
    take_away(case, key)
    out, step = consumer(case, Policy(case), takes(key), opted_in=False)
    never_starts(case, step, out, REFUSED + "no attestation")
    _, step = consumer(case, Policy(case, rest=" "), takes(key), opted_in=False, env={"ARGO_ATTEST_CHECK": "opt-in"})
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    code, message = said(pod)
    assert code == 0 and message.startswith("no inputs to check: the step does not ask for it"), (code, message)


@scenario("gate/one-workflow")
def one_workflow(case):
    """Producer and consumer in one workflow: Argo passes the artifact on."""
    output, script = PACKINGS["base-folder-tar"]
    produce = Step(name="produce", script=script.format(output.path), outputs=[output])
    out, step = consumer(case, Policy(case), {"path": PATHS["own-mount"]})
    passed = {"name": "app", "from": "{{steps.produce.outputs.artifacts.app}}"}
    main = {
        "name": "both",
        "steps": [
            [{"name": "produce", "template": "produce"}],
            [{"name": "consume", "template": "consume", "arguments": {"artifacts": [passed]}}],
        ],
    }
    running = case.submit(step, templates=[produce.rendered(case.settings), main], entrypoint="both")
    expect.succeeded(running, 120)
    pods = {pod.template()["name"]: pod for pod in running.pods()}
    wait_for("the gate's word", 10, lambda: said(pods["consume"])[1])
    assert said(pods["consume"]) == (0, 'inputs accepted: "app"'), said(pods["consume"])
    key = output.stored_as(pods["produce"].prefix())
    bundle = case.s3.get(expect.bundle_key(key))
    marker = out.stored_as(pods["consume"].prefix())
    told = statement(case.s3.get(expect.bundle_key(marker)), case.keys.public)
    dependencies = told["predicate"]["buildDefinition"]["resolvedDependencies"]
    found = next(d for d in dependencies if d["name"] == "inputs/app")
    assert found["annotations"]["attestation"]["sha256"] == sha256(bundle), found
