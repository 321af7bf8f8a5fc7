"""Argo's map-reduce: a fan-out writes beneath one prefix by key, and a step takes the prefix."""

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step

from . import gate

WIDTH = 4


def mapped(case, form):
    """The prefix that a fan-out of attested nodes has written to, one file each."""
    prefix = f"map-reduce/{case.keys.secret}-{form}/parts"
    output = Output("part", "/data/part.txt", "none", key=f"{prefix}/{{{{inputs.parameters.n}}}}.txt")
    seconds = 1 if form == "native" else 15
    template = {"inputs": {"parameters": [{"name": "n"}]}}
    step = Step(
        form=form,
        name="map",
        script=f"echo {{{{inputs.parameters.n}}}} > /data/part.txt; sleep {seconds}",
        outputs=[output],
        template=template,
    )
    arguments = {"parameters": [{"name": "n", "value": "{{item}}"}]}
    one = {"name": "map", "template": step.name, "arguments": arguments}
    fan = {"name": "fan", "steps": [[{**one, "withSequence": {"count": str(WIDTH)}}]]}
    running = case.submit(step, templates=[fan], entrypoint="fan")
    expect.succeeded(running, 240)
    return prefix


def map_reduce(case, form):
    prefix = mapped(case, form)
    parts = [f"{prefix}/{n}.txt" for n in range(WIDTH)]
    assert sorted(case.s3.list(prefix + "/")) == parts, "something else lies beneath the prefix"
    for part in parts:
        assert case.s3.exists(expect.bundle_key(f".attestations/{part}")), f"{part} is not attested"
    taken = gate.takes(prefix)
    count = f'test "$(ls {gate.PATHS["volume"]} | wc -l)" = {WIDTH} &&'
    policy = gate.Policy(case)
    out, step = gate.consumer(case, policy, taken, script=count)
    gate.starts(case, step, out)
    # One file that is not as it was attested keeps the next from starting.
    case.s3.put(parts[1], b"other")
    out, step = gate.consumer(case, policy, taken)
    gate.never_starts(case, step, out, "its file 1.txt is not accepted")


for _form in FORMS:
    scenario(f"map-reduce/{_form}", alone=True, form=_form)(map_reduce)
