"""Images of a step's own containers checked before main: what is attested is let go, and nothing else."""

import os
import subprocess

from harness import expect
from harness.place import KEY_SECRET, bind, place, role
from harness.pods import field
from harness.scenario import scenario
from harness.step import BUILDER, Output, Step
from harness.waiting import wait_for

from .gate import MARKER, Policy, gate, said
from .images import TIMEOUT_SECONDS, Registry

REFUSED = 'the image of container "main" is not accepted: '
# What the gate needs to know what its pod runs, where no admission policy tells it.
OWN_POD = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]


def known(case):
    """A namespace in which a step may look at its own pod."""
    inner = place(case)
    role(inner, "own-pod", OWN_POD)
    account = {"kind": "ServiceAccount", "name": "default", "namespace": inner.kube.namespace}
    bind(inner, "own-pod", "Role", account, "own-pod")
    return inner


def attested(case, registry, name):
    """Somebody vouches for an image that is there."""
    key = os.path.join(os.path.dirname(case.keys.public), "attest.key")
    command = [case.verifier.binary, "attest", "--plain-http", "--key", key, "--builder-id", BUILDER]
    done = subprocess.run(
        [*command, f"oci://{registry.name(name)}"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
        env=case.verifier.environment,
    )
    assert done.returncode == 0, done.stderr


def asking(case, policy, image=None, **more):
    """A step that asks for its images to be checked, and whose main leaves a marker."""
    checking = gate(case.settings, None, {"ARGO_ATTEST_PLAIN_HTTP": "true"})
    checking["env"] += [
        field("ARGO_ATTEST_POD_NAME", "metadata.name"),
        field("ARGO_ATTEST_POD_UID", "metadata.uid"),
        field("ARGO_ATTEST_POD_NAMESPACE", "metadata.namespace"),
        {"name": "ARGO_ATTEST_WORKFLOW_NAME", "value": "{{workflow.name}}"},
        {"name": "ARGO_ATTEST_WORKFLOW_UID", "value": "{{workflow.uid}}"},
    ]
    out = Output(MARKER, f"/data/{MARKER}", "none")
    made = Step(
        name="run",
        script=f"echo started > {out.path}",
        outputs=[out],
        key_secret=KEY_SECRET,
        main={"image": image} if image else {},
        before=[checking],
        template={
            "volumes": [
                {"name": "argo-attest-policy", "configMap": {"name": policy.name}},
                {"name": "argo-attest-evidence", "emptyDir": {}},
            ],
        },
        **more,
    )
    rendered = made.rendered

    def annotated(settings):
        body = rendered(settings)
        body["metadata"] = {"annotations": {"argo-attest.io/attest": "true", "argo-attest.io/verify-images": "true"}}
        return body

    made.rendered = annotated
    return out, made


def never_starts(case, step, out, reason, code=1):
    running = case.submit(step)
    pod = running.pod()
    expect.failed(running)
    ended, message = said(pod)
    assert ended == code and reason in message, f"{ended}: {message!r}, not {code}: {reason!r}"
    assert not pod.again().main_started(), "main has started"
    assert not case.s3.exists(out.stored_as(pod.prefix())), "main's marker is there"
    told = [node.get("message", "") for node in running.nodes()]
    assert any(message[:80] in text for text in told), f"Argo does not show it: {told}"
    case.note(message)


@scenario("image-gate/tag")
def tag(case):
    """The suite's own image has a tag: it is refused before any registry is asked."""
    case = known(case)
    out, step = asking(case, Policy(case))
    never_starts(case, step, out, "is named by a tag")


@scenario("image-gate/unattested")
def unattested(case):
    case = known(case)
    registry = Registry(case, "native")
    digest = registry.push("app:1", 1)[0]
    out, step = asking(case, Policy(case), f"{registry.name('app')}@{digest}")
    never_starts(case, step, out, REFUSED + "no attestation: looked for")


@scenario("image-gate/stranger")
def stranger(case):
    case = known(case)
    registry = Registry(case, "fallback")
    digest = registry.push("app:1", 1)[0]
    attested(case, registry, "app:1")
    out, step = asking(case, Policy(case, public=case.keys.stranger), f"{registry.name('app')}@{digest}")
    never_starts(case, step, out, REFUSED + "not signed with a trusted key")


@scenario("image-gate/away")
def away(case):
    case = known(case)
    image = f"127.0.0.1:1/app@sha256:{'ab' * 32}"
    out, step = asking(case, Policy(case, rest="missing: warn\n"), image)
    never_starts(case, step, out, REFUSED, code=69)


@scenario("image-gate/unknown-pod")
def unknown_pod(case):
    """Without the right to look at its own pod nobody knows what it runs, and main does not start."""
    case = place(case)
    out, step = asking(case, Policy(case), f"registry.example.com/app@sha256:{'ab' * 32}")
    never_starts(case, step, out, "it is not known what its pod runs", code=65)


def accepted(case, kind):
    """The gate lets go what is attested. The image is of random bytes, which no node could run: that the
    kubelet gets to pull it is what shows that main was let go.
    """
    case = known(case)
    registry = Registry(case, kind)
    digests = registry.push("app:1", 1)
    attested(case, registry, "app:1")
    _, step = asking(case, Policy(case), f"{registry.name('app')}@{digests[0]}")
    running = case.submit(step)
    pod = running.pod()
    wait_for("the gate's word", 60 * case.settings.patience, lambda: said(pod)[1])
    assert said(pod) == (0, 'images accepted: "main"'), said(pod)
    waiting = lambda: pod.again().container("main").get("state", {}).get("waiting", {}).get("reason")
    wait_for("a pull", 60 * case.settings.patience, lambda: waiting() not in (None, "PodInitializing"))


for _kind in ("native", "fallback"):
    scenario(f"image-gate/accepted/{_kind}", kind=_kind)(accepted)
