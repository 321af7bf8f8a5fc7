"""What our container adds to a step's wall time, against an idle one in its place."""

import statistics
import time

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step
from harness.waiting import wait_for

RUNS = 9
OUTPUT = Output("out", "/work/out.txt", "none")


def seconds_of(case, form, role):
    """From the pod's creation to its end, as the API tells it."""
    script = "echo x > /work/out.txt; sleep 2"
    running = case.submit(Step(form=form, role=role, script=script, outputs=[OUTPUT]))
    pod = wait_for("the pod", 30, running.pods, poll=0.01)[0]
    began = time.monotonic()
    wait_for("its end", 60, lambda: pod.again().phase in ("Succeeded", "Failed"), poll=0.02)
    taken = time.monotonic() - began
    expect.succeeded(running)
    if role == "sidecar":
        assert case.s3.exists(expect.bundle_key(OUTPUT.stored_as(pod.prefix())))
    return taken


def added(case, form):
    times = {"sidecar": [], "idle": []}
    for _ in range(RUNS):
        # In turn, so that whatever else the machine does falls on both.
        for role in times:
            times[role].append(seconds_of(case, form, role))
    ours, idle = statistics.median(times["sidecar"]), statistics.median(times["idle"])
    spread = statistics.quantiles(times["idle"], n=4)
    case.note(
        f"adds {ours - idle:+.2f} s: median of {RUNS}, {ours:.2f} s beside {idle:.2f} s with an idle "
        f"container (whose quartiles are {spread[0]:.2f} and {spread[2]:.2f})"
    )


for _form in FORMS:
    scenario(f"wall-time/{_form}", alone=True, form=_form)(added)
