"""The cluster's API, through one `kubectl proxy`: any authentication works, and
asking again and again does not cost a process each time."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

TIMEOUT_SECONDS = 30
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{}/workflows"


class ApiError(Exception):
    """What the API server said, with its status."""

    def __init__(self, status, method, path, body):
        super().__init__(f"{method} {path}: {status} {body[:2000]}")
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Kube:
    """One namespace of one cluster."""

    def __init__(self, kubectl, namespace):
        self.kubectl = list(kubectl)
        self.namespace = namespace
        # A socket in a folder of our own: a port would let every local user in.
        self._folder = tempfile.mkdtemp(prefix="e2e-")
        self._socket = os.path.join(self._folder, "proxy")
        self._proxy = subprocess.Popen(
            [*self.kubectl, "proxy", f"--unix-socket={self._socket}"],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            if self._proxy.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("kubectl proxy did not start")
            time.sleep(0.02)
        self.call("GET", f"/api/v1/namespaces/{namespace}")

    def _answers(self):
        """The socket is there a moment before anybody listens."""
        try:
            connection = _UnixConnection(self._socket)
            connection.connect()
            connection.close()
        except OSError:
            return False
        return True

    def close(self):
        self._proxy.terminate()
        self._proxy.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def raw(self, method, path, body=None, kind="application/json", user=None):
        connection = _UnixConnection(self._socket)
        try:
            payload = json.dumps(body) if body is not None else None
            headers = {"content-type": kind} if payload else {}
            if user:
                headers["impersonate-user"] = user
            connection.request(method, path, payload, headers)
            reply = connection.getresponse()
            text = reply.read().decode(errors="replace")
        finally:
            connection.close()
        if reply.status >= 300:
            raise ApiError(reply.status, method, path, text)
        return text

    def call(self, method, path, body=None, kind="application/json", user=None):
        return json.loads(self.raw(method, path, body, kind, user))

    def ask(self, *arguments, text=None, seconds=60):
        """kubectl itself: its exit code and all that it said."""
        # A file that names its namespace may not be told another.
        told = "namespace: " in (text or "")
        command = [*self.kubectl, *([] if told else ["-n", self.namespace]), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds)
        return done.returncode, done.stdout + done.stderr

    def apply(self, text):
        """As a user applies a file."""
        code, said = self.ask("apply", "-f", "-", text=text)
        assert code == 0, said

    def unapply(self, text):
        self.ask("delete", "--ignore-not-found", "--wait=false", "-f", "-", text=text)

    def core(self, kind, name="", **query):
        """The path of a core object, or of all of a kind, in the namespace."""
        search = "?" + urllib.parse.urlencode(query) if query else ""
        return f"/api/v1/namespaces/{self.namespace}/{kind}{'/' + name if name else ''}{search}"

    def create_workflow(self, body, user=None):
        return self.call("POST", WORKFLOWS.format(self.namespace), body, user=user)

    def try_pod(self, body, user=None):
        """The pod as it would be created: admission and all, but for the pod."""
        return self.call("POST", self.core("pods", dryRun="All"), body, user=user)

    def workflow(self, name):
        return self.call("GET", f"{WORKFLOWS.format(self.namespace)}/{name}")

    def patch_workflow(self, name, body):
        path = f"{WORKFLOWS.format(self.namespace)}/{name}"
        return self.call("PATCH", path, body, "application/merge-patch+json")

    def delete_workflow(self, name):
        self._delete(f"{WORKFLOWS.format(self.namespace)}/{name}", {"propagationPolicy": "Background"})

    def pods(self, workflow):
        selector = f"workflows.argoproj.io/workflow={workflow}"
        return self.call("GET", self.core("pods", labelSelector=selector))["items"]

    def pod(self, name):
        return self.call("GET", self.core("pods", name))

    def delete_pod(self, name, grace_seconds=None):
        options = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        self._delete(self.core("pods", name), options)

    def logs(self, pod, container, **query):
        return self.raw("GET", self.core("pods", f"{pod}/log", container=container, **query))

    def events(self, pod):
        selector = f"involvedObject.name={pod}"
        return self.call("GET", self.core("events", fieldSelector=selector))["items"]

    def create_secret(self, name, data):
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": {"e2e": "argo-attest"}},
            "stringData": data,
        }
        return self.call("POST", self.core("secrets"), body)

    def secret(self, name):
        return self.call("GET", self.core("secrets", name))

    def replace_secret(self, name, data):
        path = self.core("secrets", name)
        self.call("PATCH", path, {"stringData": data}, "application/merge-patch+json")

    def delete_secret(self, name):
        self._delete(self.core("secrets", name), {})

    def create_config_map(self, name, data):
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"e2e": "argo-attest"}},
            "data": data,
        }
        return self.call("POST", self.core("configmaps"), body)

    def delete_config_map(self, name):
        self._delete(self.core("configmaps", name), {})

    def create(self, path, body):
        """Any other object; one that is there already is left as it is."""
        try:
            self.call("POST", path, body)
        except ApiError as error:
            if error.status != 409:
                raise

    def describe(self, pod):
        command = [*self.kubectl, "-n", self.namespace, "describe", "pod", pod]
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout

    def _delete(self, path, options):
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        try:
            self.call("DELETE", path, body)
        except ApiError as error:
            if error.status != 404:
                raise
