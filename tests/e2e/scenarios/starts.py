"""Starting without what is needed: a native sidecar holds main, a plain one fails the step."""

from harness import expect
from harness.scenario import scenario
from harness.step import Output, Step
from harness.waiting import wait_for

FILE = Output("out", "/data/out.txt", "none")
SCRIPT = "echo x > /data/out.txt; sleep 1"
# Long enough for a main that is not held to start and end.
WATCHED_SECONDS = 8


@scenario("start/native/key-secret-comes-late")
def key_comes_late(case):
    """No Secret: the kubelet holds the pod. When it comes, the step goes on and is attested."""
    secret = case.keys.secret + "-late"
    running = case.submit(Step(script=SCRIPT, outputs=[FILE], key_secret=secret))
    pod = running.pod()
    expect.main_never_starts(pod, WATCHED_SECONDS)
    case.kube.create_secret(secret, {"attest.key": case.keys.private})
    case.later(case.kube.delete_secret, secret)
    # The kubelet tries a mount again after up to two minutes.
    expect.succeeded(running, 180)
    expect.attested(case, pod, FILE)


def no_usable_key(case, name, data, reason):
    secret = f"{case.keys.secret}-{name}"
    case.kube.create_secret(secret, data)
    case.later(case.kube.delete_secret, secret)
    running = case.submit(Step(script=SCRIPT, outputs=[FILE], key_secret=secret))
    pod = running.pod()
    wait_for("our container", 30, lambda: pod.again().container().get("state"))
    expect.main_never_starts(pod, WATCHED_SECONDS)
    expect.says(pod, reason)
    expect.nothing_verifies(case, pod, FILE)


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
    running = case.submit(Step(script=SCRIPT, outputs=[FILE], s3_secret=secret))
    pod = running.pod()
    wait_for("our container", 30, lambda: pod.again().container().get("state"))
    expect.main_never_starts(pod, WATCHED_SECONDS)
    expect.says(pod, "credentials")
    expect.nothing_verifies(case, pod, FILE)


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
