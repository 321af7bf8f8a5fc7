"""Starting, also without what is needed: beside a native sidecar the step runs, a plain one fails it."""

from harness import expect
from harness.scenario import scenario
from harness.step import Output, Step
from harness.waiting import wait_for

FILE = Output("out", "/data/out.txt", "none")
SCRIPT = "echo x > /data/out.txt; sleep 1"


@scenario("start/native/recorded")
def recorded(case):
    """Before main starts, it is on record that it does."""
    running = case.submit(Step(script="sleep 8; echo x > /data/out.txt", outputs=[FILE]))
    pod = running.pod()
    wait_for("main", 60, lambda: pod.again().main_started())
    assert expect.outcome(case, pod)["state"] == "started", expect.outcome(case, pod)
    expect.succeeded(running)
    assert expect.outcome(case, pod)["state"] == "succeeded", expect.outcome(case, pod)
    expect.attested(case, pod, FILE)


def unattested(case, running, reason):
    """The step runs, and it is said that nothing is attested, and why."""
    pod = running.pod()
    expect.succeeded(running)
    expect.says(pod, reason)
    expect.nothing_verifies(case, pod, FILE)


@scenario("start/native/key-secret-missing")
def no_secret(case):
    secret = case.keys.secret + "-missing"
    unattested(case, case.submit(Step(script=SCRIPT, outputs=[FILE], key_secret=secret)), "attest.key")


def no_usable_key(case, name, data, reason):
    secret = f"{case.keys.secret}-{name}"
    case.kube.create_secret(secret, data)
    case.later(case.kube.delete_secret, secret)
    unattested(case, case.submit(Step(script=SCRIPT, outputs=[FILE], key_secret=secret)), reason)


scenario("start/native/key-missing", name="missing", data={"other": "x"}, reason="attest.key")(no_usable_key)
scenario("start/native/key-garbage", name="garbage", data={"attest.key": "not a key"}, reason="attest.key")(
    no_usable_key
)


def wrong_credentials(case, form):
    secret = f"{case.keys.secret}-s3-{form}"
    names = case.settings.s3_secret_keys
    case.kube.create_secret(secret, {names[0]: "nobody", names[1]: "nothing"})
    case.later(case.kube.delete_secret, secret)
    return secret


@scenario("start/native/store-credentials-wrong")
def native_wrong_credentials(case):
    secret = wrong_credentials(case, "native")
    unattested(case, case.submit(Step(script=SCRIPT, outputs=[FILE], s3_secret=secret)), "credentials")


@scenario("start/plain/store-credentials-wrong")
def plain_wrong_credentials(case):
    secret = wrong_credentials(case, "plain")
    running = case.submit(Step(form="plain", script=SCRIPT, outputs=[FILE], s3_secret=secret))
    pod = running.pod()
    expect.failed(running)
    assert pod.ended()["exitCode"] not in (0, 137, 143), pod.ended()
    expect.says(pod, "credentials")
    expect.nothing_verifies(case, pod, FILE)


@scenario("start/plain/key-missing")
def plain_without_key(case):
    secret = f"{case.keys.secret}-plain"
    case.kube.create_secret(secret, {"other": "x"})
    case.later(case.kube.delete_secret, secret)
    running = case.submit(Step(form="plain", script=SCRIPT, outputs=[FILE], key_secret=secret))
    pod = running.pod()
    expect.failed(running)
    assert pod.ended()["exitCode"] not in (0, 137, 143), pod.ended()
    expect.says(pod, "attest.key")
    expect.nothing_verifies(case, pod, FILE)
