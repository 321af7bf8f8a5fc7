"""The list of scenarios, and what each is given."""

import contextlib
import traceback

from .running import Running
from .step import workflow
from .waiting import wait_for

_SCENARIOS = {}


class Skip(Exception):
    """This cluster or store lacks what the scenario needs."""


class Scenario:
    """A name, a function, and whether it must have the cluster to itself."""

    def __init__(self, name, check, alone):
        self.name = name
        self.check = check
        self.alone = alone


def scenario(name, /, *, alone=False, **fixed):
    """Registers a function of `(case, **fixed)`."""

    def register(function):
        assert name not in _SCENARIOS, name
        _SCENARIOS[name] = Scenario(name, lambda case: function(case, **fixed), alone)
        return function

    return register


def scenarios():
    return list(_SCENARIOS.values())


class Suite:
    """What all scenarios share."""

    def __init__(self, settings, kube, s3, keys, verifier, others, keep):
        self.settings = settings
        self.kube = kube
        self.s3 = s3
        self.keys = keys
        self.verifier = verifier
        self.others = others
        self.keep = keep


class Case:
    """One scenario's own: what it submitted, to be shown if it fails and removed if not."""

    def __init__(self, suite, name):
        self.suite = suite
        self.name = name
        self.settings = suite.settings
        self.kube = suite.kube
        self.s3 = suite.s3
        self.keys = suite.keys
        self.verifier = suite.verifier
        self.running = []
        self.notes = []
        self._cleanups = contextlib.ExitStack()

    def submit(self, step, **more):
        short = "".join(c if c.isalnum() else "-" for c in self.name.lower()).strip("-")[:40]
        body = workflow(self.settings, short, step, self.keys.secret, **more)
        return self.run(body)

    def run(self, body, user=None):
        """Any workflow, as the API takes it; submitted by somebody else, if one is named."""
        running = Running(self.kube, self.settings, body, user)
        self.running.append(running)
        return running

    def run_when_known(self, body):
        """The same for a workflow that refers to templates which were applied just now.

        The controller hears of them a moment later, and ends a workflow that is faster.
        """

        patience = 30 * self.settings.patience

        def known():
            running = self.run(body)

            def begun():
                status = running.workflow().get("status", {})
                return status if status.get("phase") else None

            status = wait_for(f"the phase of {running.name}", patience, begun)
            if status["phase"] in ("Error", "Failed") and "not found" in status.get("message", ""):
                running.kube.delete_workflow(running.name)
                self.running.remove(running)
                return None
            return running

        return wait_for("the controller to know the templates", patience, known, 0.5)

    def note(self, text):
        """Shown beside the scenario's line, passed or not."""
        self.notes.append(text)

    def later(self, function, *arguments):
        self._cleanups.callback(function, *arguments)

    def close(self, passed):
        self._cleanups.close()
        if passed and not self.suite.keep:
            # What ran in a namespace of its own goes with the namespace.
            for running in (r for r in self.running if r.kube is self.kube):
                running.kube.delete_workflow(running.name)

    def evidence(self):
        """What a person needs to see why it failed."""
        for running in self.running:
            yield from self._of_workflow(running)

    def _of_workflow(self, running):
        status = running.workflow().get("status", {})
        yield f"workflow {running.name}: {status.get('phase')} {status.get('message', '')}"
        for pod in running.pods():
            ours = pod.container()
            yield f"--- pod {pod.name} ({pod.phase})"
            yield f"ours: {ours.get('state')}, before that {ours.get('lastState')}"
            try:
                yield "stored: " + ", ".join(self.s3.list(pod.prefix() + "/"))
            except Exception:
                yield traceback.format_exc(limit=1)
            for container in ("argo-attest-gate", "argo-attest", "main", "wait"):
                try:
                    yield f"--- log of {container}\n{pod.logs(container, tailLines=100)}"
                except Exception as error:  # a container that never started has no log
                    yield f"--- no log of {container}: {error}"
            yield "--- described\n" + running.kube.describe(pod.name)
