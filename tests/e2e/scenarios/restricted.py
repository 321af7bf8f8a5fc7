"""A namespace under Pod Security `restricted`: every container with one user and no rights."""

from harness import expect
from harness.manifests import admission
from harness.place import place
from harness.scenario import scenario
from harness.waiting import wait_for

from .admission import APP, MAKE, REPORT, USE, flow, injects, ours, pod_of, step, upstream
from .templates import controller_settings

CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
POD = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "fsGroup": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
# What Argo's own containers need there.
EXECUTOR = """
resources: {requests: {cpu: 10m, memory: 32Mi}}
securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""


def confined(case, *arguments, **more):
    template = step(case, *arguments, **more)
    template["container"]["securityContext"] = CONFINED
    return template


@scenario("admission/inject/restricted", alone=True)
def restricted(case):
    """Sidecar and gate run as main does, and read what it keeps to itself."""
    outer, case = case, place(case, {"pod-security.kubernetes.io/enforce": "restricted"})
    spec = {"securityContext": POD}
    with controller_settings(outer, executor=EXECUTOR):
        # The controller reads its settings anew, sometime: until then Argo's own are refused.
        def admitted():
            tiny = flow(confined(case, "tiny", "true", annotations=None), spec=spec)
            return case.run(tiny).finished() == "Succeeded"

        wait_for("the controller's settings", 60 * case.settings.patience, admitted, 1)
        # The probe is not confined: a namespace of its own.
        admission(case, "inject", effective=injects(place(outer)), everywhere=True)
        running = case.run(flow(
            confined(case, "make", "umask 077;" + MAKE, [APP, REPORT]),
            confined(case, "use", "umask 077;" + USE, [APP], ["/data/in"]),
            spec=spec,
        ))
        expect.succeeded(running, 120)
        make, use = pod_of(running, "make"), pod_of(running, "use")
        for output in (APP, REPORT):
            expect.attested(case, make, output)
        told = expect.attested(case, use, APP)
        upstream(case, told, make)
        assert ours(use) == ["argo-attest-gate", "argo-attest"], ours(use)
