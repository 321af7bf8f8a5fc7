"""Workflows that ran, as Argo and the store know them, and what an audit said of them."""

import base64
import json
import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass

from harness.place import policy
from harness.s3 import S3Error

from .gaps import OUTCOME, STEP

ATTESTED = "attested"
PLACE = ".attestations/"


class World:
    """A namespace whose workflows are audited: the store, the keys, a folder of the auditor's."""

    def __init__(self, case, folder, prefix):
        self.case, self.folder, self.prefix = case, folder, prefix
        self.s3, self.keys, self.kube, self.settings = case.s3, case.keys, case.kube, case.settings
        self.binary = case.verifier.binary
        self.runs = {}
        self.environment = {**case.verifier.environment, "KUBECONFIG": os.path.join(folder, "kubeconfig")}
        told = subprocess.run(
            [*case.settings.kubectl, "config", "view", "--raw", "--flatten"], check=True, capture_output=True, timeout=60)
        with open(os.open(self.environment["KUBECONFIG"], os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(told.stdout)
        with open(case.keys.public, encoding="ascii") as file:
            self.has("ours.pub", file.read())
        self.has("policy.yaml", policy())

    def has(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def text(self, name, document):
        """A workflow's text, as a file."""
        return self.has(f"{name}.json", json.dumps(document))

    def audit(self, *arguments, trusting="policy.yaml"):
        command = [self.binary, "audit", "--policy", os.path.join(self.folder, trusting), "-o", "json", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=240 * self.settings.patience)
        assert done.returncode in (0, 1), f"{arguments}: {done.returncode} {done.stderr}"
        return Audited(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr)

    @property
    def place(self):
        return self.s3.uri(self.prefix + "/")


@dataclass
class Audited:
    """What an audit said."""

    code: int
    entries: list
    said: str

    def totals(self):
        """The line of counts on standard error, as words and numbers."""
        line = next(line for line in reversed(self.said.splitlines()) if re.search(r" of \d+$", line))
        counts = {word: int(count) for count, word in re.findall(r"(\d+) ([a-z/-]+)", line.rpartition(" of ")[0])}
        # In brackets is what of the attested is more than that.
        counts[ATTESTED] -= counts.get("memoised", 0)
        return counts, int(line.rpartition(" of ")[2])

    def adds_up(self):
        """The totals are those of the lines, and the exit code is what they come to."""
        counts, whole = self.totals()
        lines = Counter(entry.get("reason", ATTESTED) for entry in self.entries)
        assert Counter(counts) == lines and whole == len(self.entries), f"{counts} of {whole}, and the lines are {lines}"
        missing = [entry for entry in self.entries if entry["verdict"] in ("refused", "error")]
        assert self.code == (1 if missing else 0), f"{self.code} with {len(missing)} missing"


class Run:
    """One workflow that ran, by the names that a table has for its nodes: what follows the workflow's own."""

    def __init__(self, world, name, document):
        self.world, self.name, self.document = world, name, document
        self.uid = document["metadata"]["uid"]
        self.phase = document["status"].get("phase")
        nodes = document["status"].get("nodes", {}).values()
        self.nodes = {node["name"].removeprefix(name): node for node in nodes}
        self._outcomes = None

    def short(self, node):
        """A node's name in the table, by what an audit tells of it."""
        return (node or {}).get("name", "").removeprefix(self.name)

    def artifact(self, node, output):
        found = [a for a in self.nodes[node].get("outputs", {}).get("artifacts", []) if a["name"] == output]
        assert len(found) == 1, f"{self.name}{node}: {output} is not among {self.nodes[node].get('outputs')}"
        return found[0]

    def key(self, node, output):
        return self.artifact(node, output)["s3"]["key"].rstrip("/")

    def objects(self, node, output):
        key, s3 = self.key(node, output), self.world.s3
        own = (".sigstore.json", ".intoto.jsonl")
        return [k for k in s3.list(key + "/") if not k.endswith(own)] or [key]

    def bundle(self, node, output):
        key = self.key(node, output) + ".sigstore.json"
        return key if self.world.s3.exists(key) else PLACE + key

    def outcome(self, node):
        """The keys of the outcomes of a node, by what they say."""
        if self._outcomes is None:
            self.read_outcomes()
        found = self._outcomes.get((self.uid, self.nodes[node]["id"]))
        assert found, f"{self.name}{node} has no outcome"
        return found

    def read_outcomes(self):
        self._outcomes = {}
        for key in self.world.s3.list(f"{self.world.prefix}/{self.name}/"):
            if OUTCOME in key and key.endswith(".sigstore.json"):
                self._outcomes.setdefault(self._says(key), []).append(key)

    def outcome_names(self, node):
        """The addresses of its outcomes, as an audit names them."""
        return [self.world.s3.uri(key) for key in self.outcome(node)]

    def _says(self, key):
        try:
            envelope = json.loads(self.world.s3.get(key))["dsseEnvelope"]
        except S3Error:
            return None
        told = json.loads(base64.b64decode(envelope["payload"]))
        return tuple(told["predicate"]["invocationId"].split("/")[:2])

    def told(self, entries):
        """Lines of an audit in the table's terms: (node, what of it) and the reason."""
        by_address = {}
        for name, node in self.nodes.items():
            for artifact in node.get("outputs", {}).get("artifacts", []):
                if "s3" in artifact and node["type"] == "Pod":
                    by_address.setdefault(self.world.s3.uri(artifact["s3"]["key"].rstrip("/")), f"{name} {artifact['name']}")
        lines = []
        for entry in entries:
            about = entry["about"]
            if about == "input":
                what = f"< {by_address.get(entry['artifact'], entry['artifact'])}"
            elif about == "step":
                what = STEP
            else:
                what = entry.get("output", entry["artifact"])
            node = self.short(entry.get("node")) if entry.get("node", {}).get("name") else entry["artifact"]
            lines.append((node, what, entry.get("reason", ATTESTED)))
            if about == "artifact" and entry.get("output") and node in self.nodes:
                wanted = self.world.s3.uri(self.artifact(node, entry["output"])["s3"]["key"].rstrip("/"))
                assert entry["artifact"].rstrip("/") == wanted, f"{entry} is not {wanted}"
        return sorted(lines)


def difference(wanted, told):
    """What is missing and what is too much, in words."""
    wanted, told = Counter(wanted), Counter(told)
    return [f"not told: {line}" for line in (wanted - told).elements()] + [f"invented: {line}" for line in (told - wanted).elements()]
