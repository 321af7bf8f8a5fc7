"""Bytes that change after main's end: before Argo uploads them, or in the store."""

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step, shell
from harness.waiting import wait_for

# What is changed, and how: by a container of the same pod that waits for main's end.
CHANGED = {
    "volume-none": (Output("out", "/data/out.txt", "none"), "/data/out.txt"),
    "volume-tar": (Output("out", "/data/out.txt"), "/data/out.txt"),
    "volume-zip": (Output("out", "/data/out.txt", "zip"), "/data/out.txt"),
    "volume-folder": (Output("out", "/data/made", "none"), "/data/made/file"),
    "volume-folder-tar": (Output("out", "/data/made"), "/data/made/file"),
    "base-tar": (Output("out", "/tmp/out.txt"), "/var/run/argo/outputs/artifacts/tmp/out.txt.tgz"),
}
WRITE = "mkdir -p /data/made; echo right > {0}; sleep 1"
MEDDLE = """
until [ -e /var/run/argo/ctr/main/exitcode ]; do usleep 10000; done
usleep 200000
printf w | dd of={0} conv=notrunc bs=1 count=1
"""


def changed_before_upload(case, form, output, target):
    written = output.path if target.startswith("/var/run") else target
    meddler = {
        "name": "meddler",
        "mirrorVolumeMounts": True,
        **shell(case.settings, MEDDLE.format(target)),
    }
    step = Step(form=form, script=WRITE.format(written), outputs=[output], beside=[meddler])
    running = case.submit(step)
    pod = running.pod()
    if form == "native":
        expect.succeeded(running)
        expect.exit_code(pod, 0)
    else:
        expect.failed(running)
    entry = expect.not_attested(case, pod, output)
    case.note(entry["reason"])


for _form in FORMS:
    for _name, (_output, _target) in CHANGED.items():
        scenario(
            f"tampering/{_form}/before-upload/{_name}", form=_form, output=_output, target=_target
        )(changed_before_upload)

SWAPPED = {
    "volume-none": Output("out", "/data/out.txt", "none"),
    "volume-tar": Output("out", "/data/out.txt"),
    "volume-zip": Output("out", "/data/out.txt", "zip"),
    "base-tar": Output("out", "/tmp/out.txt"),
}


def swapped_after_upload(case, form, output):
    """Another object of the same size, as soon as there is one."""
    step = Step(form=form, script=f"echo right > {output.path}; sleep 1", outputs=[output])
    running = case.submit(step)
    pod = running.pod()
    key = output.stored_as(pod.prefix())
    wait_for("the object", 60, lambda: case.s3.exists(key), poll=0.01)
    right = case.s3.get(key)
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    case.s3.put(key, wrong)
    running.finished()
    entry = expect.message_of(pod, output)
    case.verifier.refused(key)
    if entry["verdict"] == "attested":
        # It looked before the swap: what it attested is what main wrote.
        case.note("looked before the swap")
        case.s3.put(key, right)
        expect.attested(case, pod, output)
        return
    assert form == "plain" or pod.ended()["exitCode"] == 0, pod.ended()
    assert form == "native" or pod.ended()["exitCode"] != 0, pod.ended()
    entry = expect.not_attested(case, pod, output)
    case.note(entry["reason"])


for _form in FORMS:
    for _name, _output in SWAPPED.items():
        scenario(f"tampering/{_form}/after-upload/{_name}", form=_form, output=_output)(
            swapped_after_upload
        )
