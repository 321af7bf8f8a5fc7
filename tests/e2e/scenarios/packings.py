"""Every way in which Argo stores an output, in both forms of our container."""

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step

FILE = "head -c 300000 /dev/urandom > {0}"
FOLDER = "mkdir -p {0}/a/b && echo one > {0}/one && echo two > {0}/a/b/two && : > {0}/a/empty"


class Packing:
    """One output, the script that writes it, and how its object can be checked."""

    def __init__(self, name, path, archive, script, check):
        self.output = Output(name, path, archive)
        self.script = script.format(path)
        self.check = check


def _packings():
    # Where Argo stores bytes as they are on a disk that we see, the store's own checksum
    # is enough; what it packs anew is read back and compared entry by entry.
    table = [
        ("base-tar", "/tmp/base-tar", "tar", FILE, "checksum"),
        ("base-folder-tar", "/srv/base-folder-tar", "tar", FOLDER, "checksum"),
        ("base-none", "/tmp/base-none", "none", FILE, ""),
        ("base-folder-none", "/srv/base-folder-none", "none", FOLDER, ""),
        # A single file of the base layer as a zip fails in Argo itself, which looks for
        # a folder (4.0.7).
        ("base-folder-zip", "/srv/base-folder-zip", "zip", FOLDER, "entries"),
        ("volume-tar", "/data/volume-tar", "tar", FILE, "entries"),
        ("volume-folder-tar", "/data/volume-folder-tar", "tar", FOLDER, "entries"),
        ("volume-none", "/data/volume-none", "none", FILE, "checksum"),
        ("volume-folder-none", "/data/volume-folder-none", "none", FOLDER, "checksum"),
        ("volume-zip", "/data/volume-zip", "zip", FILE, "entries"),
        ("volume-folder-zip", "/data/volume-folder-zip", "zip", FOLDER, "entries"),
    ]
    return {row[0]: Packing(*row) for row in table}


PACKINGS = _packings()


def check_packing(case, form, packing):
    step = Step(form=form, script=packing.script + "; sleep 0.5", outputs=[packing.output])
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    expect.exit_code(pod, 0)
    told = expect.attested(case, pod, packing.output)
    stored = [b for b in told["predicate"]["runDetails"]["byproducts"] if b["name"] == "stored-object"]
    assert stored, "the provenance names no stored object"
    for object_ in stored:
        check = object_["annotations"]["check"]
        assert check.startswith(packing.check), f"{check}, not {packing.check}"


for _form in FORMS:
    for _name, _packing in PACKINGS.items():
        scenario(f"packing/{_form}/{_name}", form=_form, packing=_packing)(check_packing)


@scenario("packing/native/several")
def several(case):
    """Several outputs at once: one inside another, an optional one that is not there."""
    inside = Output("inside", "/data/tree/deep/file.txt", "none")
    around = Output("around", "/data/tree")
    absent = Output("absent", "/data/nothing", optional=True)
    step = Step(
        script="mkdir -p /data/tree/deep; echo x > /data/tree/deep/file.txt; echo y > /data/tree/y",
        outputs=[inside, around, absent],
    )
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    expect.attested(case, pod, inside)
    expect.attested(case, pod, around)
    expect.not_attested(case, pod, absent, fates=("absent",))


@scenario("packing/native/unreadable")
def unreadable(case):
    """What another user keeps to himself is refused by name; the rest is attested."""
    private = Output("private", "/data/private.txt", "none")
    public = Output("public", "/data/public.txt", "none")
    step = Step(
        script="umask 077; echo p > /data/private.txt; chown 1000 /data/private.txt; echo q > /data/public.txt",
        outputs=[private, public],
    )
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    expect.not_attested(case, pod, private, reason="1000")
    expect.attested(case, pod, public)


@scenario("packing/native/nonroot")
def nonroot(case):
    """In a pod as Pod Security `restricted` wants it, every container has main's user."""
    output = Output("out", "/data/out.txt", "none")
    step = Step(
        script="umask 077; id -u > /data/out.txt",
        outputs=[output],
        ours={
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }
        },
    )
    context = {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    running = case.submit(step, spec={"securityContext": context})
    pod = running.pod()
    expect.succeeded(running)
    assert case.s3.get(output.stored_as(pod.prefix())) == b"1000\n"
    expect.attested(case, pod, output)
