"""A workflow that was submitted: its phase, its pods, what our container said."""

import json

from .step import NAME
from .waiting import wait_for

# What the kubelet takes of a termination message.
MESSAGE_LIMIT = 4096
DONE = ("Succeeded", "Failed", "Error")


class Running:
    """One workflow, from submission to the end."""

    def __init__(self, kube, settings, body, user=None):
        self.kube = kube
        self.settings = settings
        created = kube.create_workflow(body, user)
        self.name = created["metadata"]["name"]
        self.uid = created["metadata"]["uid"]

    def workflow(self):
        return self.kube.workflow(self.name)

    def finished(self, seconds=90):
        """Its phase, once it has ended and so have all its pods' containers of ours."""

        def phase():
            now = self.workflow().get("status", {}).get("phase")
            return now if now in DONE else None

        return wait_for(f"the end of {self.name}", seconds * self.settings.patience, phase, 0.3)

    def pods(self):
        return [Pod(self, pod) for pod in self.kube.pods(self.name)]

    def pod(self, seconds=30):
        """The only pod."""
        found = wait_for(f"a pod of {self.name}", seconds * self.settings.patience, self.pods)
        assert len(found) == 1, f"{len(found)} pods: {[p.name for p in found]}"
        return found[0]

    def nodes(self):
        return self.workflow().get("status", {}).get("nodes", {}).values()


class Pod:
    """One pod as it was when asked; `again()` asks anew."""

    def __init__(self, running, document):
        self.running = running
        self.document = document
        self.name = document["metadata"]["name"]
        self.uid = document["metadata"]["uid"]

    def again(self):
        self.document = self.running.kube.pod(self.name)
        return self

    @property
    def phase(self):
        return self.document["status"].get("phase")

    def container(self, name=NAME):
        """The container's status; empty before the kubelet has said anything."""
        status = self.document["status"]
        for kind in ("initContainerStatuses", "containerStatuses"):
            for container in status.get(kind, []):
                if container["name"] == name:
                    return container
        return {}

    def main_started(self):
        container = self.container("main")
        state = container.get("state", {})
        return "running" in state or "terminated" in state or container.get("restartCount", 0) > 0

    def ended(self, seconds=40):
        """Our container's terminated state."""

        def terminated():
            return self.again().container().get("state", {}).get("terminated")

        patience = self.running.settings.patience
        return wait_for(f"the end of {NAME} in {self.name}", seconds * patience, terminated)

    def message(self):
        """The termination message, parsed."""
        text = self.ended().get("message", "")
        assert text, f"{self.name}: no termination message"
        assert len(text.encode()) <= MESSAGE_LIMIT, f"{len(text.encode())} bytes of message"
        return json.loads(text)

    def template(self):
        """The resolved template, from the environment of Argo's own container."""
        for container in self.document["spec"]["initContainers"] + self.document["spec"]["containers"]:
            if container["name"] in ("init", "wait", "supervisor"):
                for entry in container.get("env", []):
                    if entry["name"] == "ARGO_TEMPLATE":
                        return json.loads(self._offloaded() if entry["value"] == "offloaded" else entry["value"])
        raise AssertionError(f"{self.name}: no ARGO_TEMPLATE")

    def _offloaded(self):
        kept = self.running.kube.call("GET", self.running.kube.core("configmaps", self.name))
        return kept["data"]["ARGO_TEMPLATE"]

    def prefix(self):
        return self.template()["archiveLocation"]["s3"]["key"]

    def node_id(self):
        return next(
            entry["value"]
            for container in self.document["spec"]["containers"]
            for entry in container.get("env", [])
            if entry["name"] == "ARGO_NODE_ID"
        )

    def logs(self, container=NAME, **query):
        return self.running.kube.logs(self.name, container, **query)
