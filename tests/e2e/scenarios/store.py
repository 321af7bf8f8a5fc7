"""The store goes away at the worst moment and comes back."""

import subprocess
import threading
import time

from harness import expect
from harness.scenario import Skip, scenario
from harness.step import FORMS, Output, Step
from harness.waiting import wait_for

AWAY_SECONDS = 10
TWO = [Output("first", "/data/first.txt", "none"), Output("second", "/data/second.txt")]
SCRIPT = "echo 1 > /data/first.txt; echo 2 > /data/second.txt; sleep 1"


def _shell(command):
    subprocess.run(["sh", "-c", command], check=True, timeout=15)


def away(case, form, moment):
    settings = case.settings
    if not (settings.s3_pause and settings.s3_resume):
        raise Skip("needs E2E_S3_PAUSE and E2E_S3_RESUME")
    running = case.submit(Step(form=form, script=SCRIPT, outputs=TWO))
    pod = running.pod()
    wait_for("the worst moment", 60, lambda: moment(case, pod), poll=0.02)
    _shell(settings.s3_pause)
    back = threading.Timer(AWAY_SECONDS, _shell, [settings.s3_resume])
    back.start()
    began = time.monotonic()
    try:
        phase = running.finished()
    finally:
        back.join()
    assert time.monotonic() - began > AWAY_SECONDS, "the server was not missed"
    assert phase == "Succeeded", phase
    expect.exit_code(pod, 0)
    for output in TWO:
        expect.attested(case, pod, output)


def main_ends(_case, pod):
    """Main's container has ended: Argo and we are about to talk to the store."""
    return pod.again().container("main").get("state", {}).get("terminated")


def last_uploaded(case, pod):
    """Argo has just stored the last output: what is left to do is ours."""
    return case.s3.exists(TWO[1].stored_as(pod.prefix()))


for _form in FORMS:
    scenario(f"store/{_form}/away-at-the-end", alone=True, form=_form, moment=main_ends)(away)
    scenario(f"store/{_form}/away-after-the-upload", alone=True, form=_form, moment=last_uploaded)(away)
