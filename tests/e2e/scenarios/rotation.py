"""A signing key that is replaced while steps run."""

import os
import tempfile

from harness import expect
from harness.place import KEY_SECRET, place
from harness.scenario import scenario
from harness.step import FORMS, Output, Step
from harness.waiting import wait_for

OUT = Output("out", "/data/out.txt", "none")
# Seconds that main runs: some end before the key is replaced, some see it being replaced
# (the kubelet looks again every ten seconds to a minute), some outlive it.
LIVES = (1, 10, 20, 30, 40, 50)


def rotation(case, form):
    """Each attestation verifies under exactly one of the two keys, and every step has one."""
    case = place(case)
    with tempfile.TemporaryDirectory() as folder:
        old, new = case.keys.public, case.keys.generated(folder)
        private = os.path.join(os.path.dirname(new), "attest.key")
        step = Step(
            form=form,
            script="echo {{inputs.parameters.n}} > /data/out.txt; sleep {{inputs.parameters.n}}",
            outputs=[OUT],
            key_secret=KEY_SECRET,
            template={"inputs": {"parameters": [{"name": "n"}]}},
        )
        arguments = {"parameters": [{"name": "n", "value": "{{item}}"}]}
        one = {"template": step.name, "arguments": arguments}
        fan = {"name": "fan", "steps": [
            [{**one, "name": "before", "withItems": list(LIVES)}],
            [{**one, "name": "after", "withItems": [1]}],
        ]}
        running = case.submit(step, templates=[fan], entrypoint="fan")
        wait_for("every main's start, and the first attestation", 120, lambda: under_way(case, running))
        held = sum(pod.phase == "Running" for pod in running.pods())
        with open(private, encoding="ascii") as key:
            case.kube.replace_secret(KEY_SECRET, {"attest.key": key.read()})
        expect.succeeded(running, 240)
        signed = [by(case, pod, old, new) for pod in running.pods()]
    assert len(signed) == len(LIVES) + 1, signed
    assert "old" in signed and "new" in signed, signed
    assert held, "no step ran when the key was replaced"
    case.note(f"{held} steps ran when the key was replaced: {signed.count('old')} by the old key, {signed.count('new')} by the new one")


def under_way(case, running):
    pods = running.pods()
    attested = [case.s3.exists(expect.bundle_key(OUT.stored_as(pod.prefix()))) for pod in pods]
    return len(pods) == len(LIVES) and all(pod.main_started() for pod in pods) and any(attested)


def by(case, pod, old, new):
    """Which of the keys signed, and that only that one did."""
    assert expect.message_of(pod, OUT)["verdict"] == "attested", pod.message()
    key = OUT.stored_as(pod.prefix())
    codes = {name: case.verifier.ask(key, public=public)[0] for name, public in (("old", old), ("new", new))}
    accepting = [name for name, code in codes.items() if code == 0]
    assert len(accepting) == 1 and sorted(codes.values()) == [0, 1], codes
    case.verifier.accepted(key, public=[old, new])
    return accepting[0]


for _form in FORMS:
    scenario(f"rotation/{_form}", alone=True, form=_form)(rotation)
