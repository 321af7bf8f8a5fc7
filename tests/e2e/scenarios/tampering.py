"""Bytes that change after main's end: before Argo uploads them, or in the store."""

import gzip
import io
import tarfile
import zipfile

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
WRITE = "until [ -e /data/meddler ]; do usleep 10000; done; mkdir -p /data/made; echo right > {0}; sleep 1"
# Told to stop by Argo at main's end, too; it must get its change in first.
MEDDLE = """
trap '' TERM; : > /data/meddler
until [ -e /var/run/argo/ctr/main/exitcode ]; do usleep 5000; done
usleep 20000
printf w | dd of={0} conv=notrunc bs=1 count=1
"""
ATTEMPTS = 4


def holds(case, pod, output):
    """What the stored object holds, unpacked; nothing where it cannot be unpacked."""
    stored = b"".join(case.s3.get(key) for key in expect.objects_of(case, pod, output))
    try:
        if output.archive == "tar":
            with tarfile.open(fileobj=io.BytesIO(stored)) as archive:
                return b"".join(archive.extractfile(m).read() for m in archive if m.isfile())
        if output.archive == "zip":
            with zipfile.ZipFile(io.BytesIO(stored)) as archive:
                return b"".join(archive.read(name) for name in archive.namelist())
    except (tarfile.TarError, zipfile.BadZipFile, OSError):
        return b""
    return stored


def changed_before_upload(case, form, output, target):
    for _ in range(ATTEMPTS):
        running = case.submit(meddled(case, form, output, target))
        pod = running.pod()
        phase = running.finished()
        if holds(case, pod, output) != b"right\n":
            break
        # Argo looks for main's end once a second, and this once looked at once.
        case.note("the change came after the upload: again")
    else:
        raise AssertionError(f"in {ATTEMPTS} attempts no change came before the upload")
    case.note(expect.not_attested(case, pod, output)["reason"])
    if form == "native":
        assert phase == "Succeeded", phase
        expect.exit_code(pod, 0)
    else:
        assert phase == "Failed", phase


def meddled(case, form, output, target):
    written = output.path if target.startswith("/var/run") else target
    meddler = {
        "name": "meddler",
        "mirrorVolumeMounts": True,
        **shell(case.settings, MEDDLE.format(target)),
    }
    return Step(form=form, script=WRITE.format(written), outputs=[output], beside=[meddler])


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
    """Another object, as soon as there is one."""
    step = Step(form=form, script=f"echo right > {output.path}; sleep 1", outputs=[output])
    running = case.submit(step)
    pod = running.pod()
    key = output.stored_as(pod.prefix())
    wait_for("the object", 60, lambda: case.s3.exists(key), poll=0.01)
    right = case.s3.get(key)
    if output.archive == "tar":
        # As good an archive, of another file.
        wrong = gzip.compress(gzip.decompress(right).replace(b"right", b"wrong"))
    else:
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
