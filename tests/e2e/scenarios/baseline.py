"""Argo without our container: what the other scenarios take for granted of Argo, of the
store and of this suite itself."""

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Step

from .packings import PACKINGS


def baseline(case, form):
    """An idle container in our place: each packing is stored where the suite expects it."""
    for packing in PACKINGS.values():
        step = Step(form=form, role="idle", script=packing.script, outputs=[packing.output])
        running = case.submit(step)
        pod = running.pod()
        expect.succeeded(running)
        for key in expect.objects_of(case, pod, packing.output):
            assert case.s3.exists(key), f"{key} is not there"
            checksum = case.s3.head(key).get("x-amz-checksum-type")
            case.note(f"{key.rpartition('/')[2]}: full-object checksum" if checksum == "FULL_OBJECT" else f"{key}: no checksum")
        expect.nothing_verifies(case, pod, packing.output)


for _form in FORMS:
    scenario(f"baseline/{_form}", form=_form)(baseline)
