"""Many pods of one template at once: each is attested for itself."""

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step

WIDTH = 20


def fan_out(case, form):
    output = Output("out", "/data/out.txt", "none")
    # Nothing holds main until a plain sidecar runs, and so many pods start slowly: a main that is
    # over before ends it unseen.
    seconds = 1 if form == "native" else 15
    step = Step(
        form=form,
        script=f"echo {{{{inputs.parameters.n}}}} > /data/out.txt; sleep {seconds}",
        outputs=[output],
        template={"inputs": {"parameters": [{"name": "n"}]}},
    )
    arguments = {"parameters": [{"name": "n", "value": "{{item}}"}]}
    one = {"name": "one", "template": step.name, "arguments": arguments}
    fan = {"name": "fan", "steps": [[{**one, "withSequence": {"count": str(WIDTH)}}]]}
    running = case.submit(step, templates=[fan], entrypoint="fan")
    expect.succeeded_or_lost_emissary(case, running, 240)
    pods = running.pods()
    assert len(pods) == WIDTH, len(pods)
    seen = set()
    for pod in pods:
        seen.add(case.s3.get(output.stored_as(pod.prefix())))
        told = expect.attested(case, pod, output)
        inputs = told["predicate"]["buildDefinition"]["externalParameters"]["inputs"]
        assert f"{inputs['parameters']['n']}\n".encode() in seen, inputs
    assert len(seen) == WIDTH, seen


for _form in FORMS:
    scenario(f"fan-out/{_form}", alone=True, form=_form)(fan_out)
