"""Every way in which Argo stores an output, in both forms of our container."""

from dataclasses import dataclass

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step


@dataclass(frozen=True)
class Packing:
    """An output and the script that writes it."""

    output: Output
    script: str
    # The check of the stored object that the provenance must name.
    check: str


FOLDER = "mkdir -p {0}/a/b && echo one > {0}/one && echo two > {0}/a/b/two && : > {0}/a/empty"
PACKINGS = {
    "base-tar": Packing(Output("out", "/tmp/base.txt"), "echo base > /tmp/base.txt", "checksum"),
    "base-folder-tar": Packing(Output("out", "/srv/made"), FOLDER.format("/srv/made"), "checksum"),
    "base-none": Packing(Output("out", "/tmp/raw.txt", "none"), "echo raw > /tmp/raw.txt", ""),
    "base-zip": Packing(Output("out", "/tmp/z.txt", "zip"), "echo z > /tmp/z.txt", "entries"),
    "volume-tar": Packing(Output("out", "/work/t.txt"), "echo t > /work/t.txt", "entries"),
    "volume-folder-tar": Packing(Output("out", "/work/made"), FOLDER.format("/work/made"), "entries"),
    "volume-none": Packing(
        Output("out", "/work/file.bin", "none"),
        "head -c 3000000 /dev/urandom > /work/file.bin",
        "checksum",
    ),
    "volume-none-folder": Packing(
        Output("out", "/work/made", "none"),
        "mkdir -p /work/made/a/b && echo one > /work/made/one && echo two > /work/made/a/b/two",
        "checksum",
    ),
    "volume-zip": Packing(Output("out", "/work/z.txt", "zip"), "echo z > /work/z.txt", "entries"),
    "volume-folder-zip": Packing(Output("out", "/work/made", "zip"), FOLDER.format("/work/made"), "entries"),
}


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
    inside = Output("inside", "/work/tree/deep/file.txt", "none")
    around = Output("around", "/work/tree")
    absent = Output("absent", "/work/nothing", optional=True)
    step = Step(
        script="mkdir -p /work/tree/deep; echo x > /work/tree/deep/file.txt; echo y > /work/tree/y",
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
    private = Output("private", "/work/private.txt", "none")
    public = Output("public", "/work/public.txt", "none")
    step = Step(
        script="umask 077; echo p > /work/private.txt; chown 1000 /work/private.txt; echo q > /work/public.txt",
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
    output = Output("out", "/work/out.txt", "none")
    step = Step(
        script="umask 077; id -u > /work/out.txt",
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
