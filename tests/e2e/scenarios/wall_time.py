"""What our container adds to a step's wall time, against an idle one in its place."""

import concurrent.futures
import os
import statistics
import time

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step
from harness.waiting import wait_for

# Few are enough to see that it works; the median of many is a measurement.
PAIRS = int(os.environ.get("E2E_PAIRS") or 15)
OUTPUT = Output("out", "/data/out.txt", "none")


def seconds_of(case, form, role):
    """From the pod's creation to its end, as the API tells it."""
    script = "echo x > /data/out.txt; sleep 2"
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
    """Both at once, again and again: whatever else the machine does falls on both."""
    pairs = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for turn in range(PAIRS):
            roles = ("sidecar", "idle") if turn % 2 else ("idle", "sidecar")
            taken = dict(zip(roles, pool.map(lambda role: seconds_of(case, form, role), roles)))
            pairs.append(taken)
    differences = [pair["sidecar"] - pair["idle"] for pair in pairs]
    low, middle, high = statistics.quantiles(differences, n=4)
    ours, idle = (statistics.median(pair[role] for pair in pairs) for role in ("sidecar", "idle"))
    case.note(
        f"adds {middle:+.2f} s, the median of {PAIRS} pairs (quartiles {low:+.2f} and {high:+.2f}); "
        f"medians {ours:.2f} s with it, {idle:.2f} s with an idle container"
    )


for _form in FORMS:
    scenario(f"wall-time/{_form}", alone=True, form=_form)(added)
