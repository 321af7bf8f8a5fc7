"""Argo without our container: what the other scenarios take for granted of Argo, of the
store and of this suite itself."""

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Step

from .packings import PACKINGS


def baseline(case, form):
    """An idle container in our place: each packing is stored where the suite expects it."""
    script = "\n".join(packing.script for packing in PACKINGS.values())
    outputs = [packing.output for packing in PACKINGS.values()]
    running = case.submit(Step(form=form, role="idle", script=script, outputs=outputs))
    pod = running.pod()
    expect.succeeded(running)
    unknown = []
    for output in outputs:
        keys = expect.objects_of(case, pod, output)
        assert len(keys) == (3 if "folder-none" in output.name else 1), keys
        for key in keys:
            if case.s3.head(key).get("x-amz-checksum-type") != "FULL_OBJECT":
                unknown.append(output.name)
        expect.nothing_verifies(case, pod, output)
    if unknown:
        case.note(f"the store gives no full-object checksum of {unknown}")


for _form in FORMS:
    scenario(f"baseline/{_form}", form=_form)(baseline)
