"""Workflows with one step under test, in each form that our container can have.

Only fields that every supported line of Argo knows.
"""

import json
from dataclasses import dataclass, field

NAME = "argo-attest"
BUILDER = "https://ci.example.com/argo"
FORMS = ("native", "plain")
OPT_IN = {"argo-attest.io/attest": "true"}
GRACE_SECONDS = 20


@dataclass(frozen=True)
class Output:
    """An output artifact as a template declares it."""

    name: str
    path: str
    archive: str = "tar"
    optional: bool = False
    key: str = None

    def declared(self):
        out = {"name": self.name, "path": self.path}
        if self.archive != "tar":
            out["archive"] = {self.archive: {}}
        if self.optional:
            out["optional"] = True
        if self.key:
            out["s3"] = {"key": self.key}
        return out

    def stored_as(self, prefix):
        """The key that Argo gives it, worked out apart from the code under test."""
        base = self.path.rstrip("/").rpartition("/")[2]
        name = {"tar": f"{self.name}.tgz", "zip": f"{self.name}.zip", "none": base}[self.archive]
        return self.key or f"{prefix}/{name}"


@dataclass
class Step:
    """One template: main, and perhaps our container beside it."""

    script: str = "true"
    outputs: list = field(default_factory=list)
    form: str = "native"
    # "sidecar", or "idle": another container in the same place that does nothing.
    role: str = "sidecar"
    name: str = "step"
    opted_in: bool = True
    args: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    key_secret: str = None
    s3_secret: str = None
    main: dict = field(default_factory=dict)
    template: dict = field(default_factory=dict)
    beside: list = field(default_factory=list)
    # Init containers that run before our sidecar starts.
    before: list = field(default_factory=list)
    ours: dict = field(default_factory=dict)

    def rendered(self, settings):
        mounts = [{"name": "data", "mountPath": "/data"}]
        template = {
            "name": self.name,
            "outputs": {"artifacts": [output.declared() for output in self.outputs]},
            "container": {
                **shell(settings, self.script),
                "volumeMounts": mounts,
                **self.main,
            },
            **self.template,
        }
        if self.opted_in:
            template["metadata"] = {"annotations": dict(OPT_IN)}
        sidecars = list(self.beside)
        if self.before:
            template["initContainers"] = list(self.before)
        if self.form == "native":
            template["initContainers"] = [*self.before, self._native(settings)]
        elif self.form == "plain":
            sidecars.append(self._plain(settings))
        if sidecars:
            template["sidecars"] = sidecars
        return template

    def _native(self, settings):
        container = {**self._common(settings), "restartPolicy": "Always"}
        if self.role == "sidecar":
            ready = {"exec": {"command": ["/argo-attest", "ready", "--wait"]}}
            container["lifecycle"] = {"postStart": ready}
        return {**container, **self.ours}

    def _plain(self, settings):
        container = self._common(settings)
        if self.role == "sidecar":
            # A plain sidecar is wrapped by Argo, which must know the command.
            container["command"] = ["/argo-attest"]
        return {**container, **self.ours}

    def _common(self, settings):
        container = {
            "name": NAME,
            "imagePullPolicy": settings.pull_policy,
            "mirrorVolumeMounts": True,
            "env": self._env(),
            "securityContext": {
                "runAsUser": 0,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            },
            "resources": {
                "requests": {"cpu": "10m", "memory": "16Mi"},
                "limits": {"memory": "128Mi"},
            },
            "volumeMounts": [
                {"name": "key", "mountPath": "/etc/argo-attest/key", "readOnly": True},
                {
                    "name": "store",
                    "mountPath": f"/argo/secret/{settings.s3_secret}",
                    "readOnly": True,
                },
            ],
        }
        if self.role == "sidecar":
            container.update(image=settings.image, args=["sidecar", *self.args])
        else:
            idle = "trap 'exit 0' TERM; sleep 3600 & wait"
            container.update(image=settings.main_image, command=["sh", "-c", idle])
        return container

    def _env(self):
        fields = {
            "ARGO_ATTEST_POD_NAME": "metadata.name",
            "ARGO_ATTEST_POD_UID": "metadata.uid",
            "ARGO_ATTEST_POD_NAMESPACE": "metadata.namespace",
            "ARGO_ATTEST_SERVICE_ACCOUNT": "spec.serviceAccountName",
            "ARGO_ATTEST_NODE_NAME": "metadata.annotations['workflows.argoproj.io/node-name']",
        }
        values = {
            "ARGO_ATTEST_BUILDER_ID": BUILDER,
            "ARGO_ATTEST_WORKFLOW_NAME": "{{workflow.name}}",
            "ARGO_ATTEST_WORKFLOW_UID": "{{workflow.uid}}",
            "ARGO_ATTEST_INPUT_PARAMETERS": "{{inputs.parameters}}",
            **self.env,
        }
        return [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in fields.items()
        ] + [{"name": name, "value": value} for name, value in values.items()]


def shell(settings, script):
    """A container of main's image that runs a script."""
    return {
        "image": settings.main_image,
        "imagePullPolicy": settings.pull_policy,
        "command": ["sh", "-c"],
        "args": [script],
    }


def workflow(settings, name, step, key_secret, templates=(), entrypoint=None, spec=None):
    """The whole Workflow, as the API takes it."""
    # Where we run as uid 0, nobody else needs to read the key.
    key = {"secretName": step.key_secret or key_secret, "defaultMode": 0o400, "optional": True}
    patch = {"terminationGracePeriodSeconds": GRACE_SECONDS}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"e2e-{name}-", "labels": {"e2e": "argo-attest"}},
        "spec": {
            "entrypoint": entrypoint or step.name,
            "podSpecPatch": json.dumps(patch),
            "volumes": [
                {"name": "data", "emptyDir": {}},
                {"name": "key", "secret": key},
                {"name": "store", "secret": {"secretName": step.s3_secret or settings.s3_secret}},
            ],
            "templates": [step.rendered(settings), *templates],
            **(spec or {}),
        },
    }
