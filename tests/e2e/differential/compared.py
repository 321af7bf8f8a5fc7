"""One example, run twice, and what came of it."""

import concurrent.futures
import hashlib
import json
import os
import threading
import time

from harness.waiting import Late

from . import examples
from .seen import differences, seen

# An example that has not ended by then as it is, waits for something that is not here.
SECONDS = 100
# A pod of ours adds a second or two a step, and two cores are shared by all.
MORE = 200

# Differences with a reason, by file: what may differ, as the beginning of where it does.
EXPECTED = {}


class Record:
    """What came of each example, on disk: a run that was stopped goes on where it was."""

    def __init__(self, path, resume):
        self.path = path
        self.found = {}
        self._lock = threading.Lock()
        if resume and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.found = json.load(file)

    def take(self, way, name, result):
        with self._lock:
            self.found.setdefault(way, {})[name] = result
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump(self.found, file, indent=1, sort_keys=True)
            os.replace(self.path + ".new", self.path)

    def known(self, way, name, digest):
        result = self.found.get(way, {}).get(name)
        return result if result and result.get("digest") == digest and result["came"] != "different" else None


PLAIN = "as it is"


def watched(running):
    """Our container was in every pod that is still there: or nothing was compared with anything.

    A container set without `main` can have neither inputs nor outputs, and admission leaves it alone.
    """
    for pod in running.pods():
        spec = pod.document["spec"]
        there = [container["name"] for container in spec.get("initContainers", [])]
        main = any(container["name"] == "main" for container in spec["containers"])
        assert "argo-attest" in there or not main, f"{pod.name} was not attested: {there}"


class Comparison:
    """A namespace that knows nothing of us, and one where every step is attested."""

    def __init__(self, plain, attested, record, version, image, store, jobs):
        self.plain, self.attested, self.record, self.version = plain, attested, record, version
        self.image, self.store, self.jobs = image, store, jobs
        # What another build did says nothing of this one.
        with open(attested.verifier.binary, "rb") as file:
            self._ours = " " + hashlib.sha256(file.read()).hexdigest()[:16]

    def as_they_are(self, names):
        """Runs each without us; gives what was seen of those that can run here."""
        for template in self._shared():
            self.plain.kube.apply(json.dumps(template))
        found = self._each(PLAIN, names, self._as_it_is)
        return {name: result["seen"] for name, result in found.items() if result["came"] == "seen"}

    def attested_by(self, way, before):
        """Runs each again with us; gives what came of each."""
        for template in self._shared():
            for document in way.of([template]):
                self.attested.kube.apply(json.dumps(document))
        return self._each(way.name, list(before), lambda name: self._attested(way, name, before[name]))

    def differ_from_themselves(self, way, results, before):
        """Of those that differ, which do so without us: they show nothing of us."""
        for name in [name for name, result in results.items() if result["came"] == "different"]:
            # A die with ten faces falls the same way twice often enough.
            for _ in range(3):
                again = self._as_it_is(name)
                lines = differences(before[name], again["seen"]) if again["came"] == "seen" else [again["why"]]
                if lines:
                    results[name] = {**results[name], "came": "itself", "why": lines[0][:300]}
                    self.record.take(way.name, name, results[name])
                    break

    def _each(self, way, names, run):
        def one(name):
            digest = self._digest(name) + ("" if way == PLAIN else self._ours)
            result = self.record.known(way, name, digest)
            if not result:
                began = time.monotonic()
                result = {**run(name), "digest": digest, "seconds": round(time.monotonic() - began, 1)}
                self.record.take(way, name, result)
            print(f"        {way}: {name}: {result['came']} {result.get('why', '')}", flush=True)
            return name, result

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return dict(pool.map(one, names))

    def _digest(self, name):
        with open(os.path.join(examples.folder(self.version), name), "rb") as file:
            return hashlib.sha256(file.read() + self.version.encode()).hexdigest()

    def _shared(self):
        return examples.shared(self.plain.kube, self.version, self.image, self.store)

    def _documents(self, name):
        return examples.fit(examples.read(self.plain.kube, self.version, name), self.image, self.store)

    def _as_it_is(self, name):
        try:
            found = self._run(self.plain, self._documents(name), SECONDS)
        except examples.Unfit as why:
            return {"came": "unfit", "why": str(why)}
        except Late:
            return {"came": "unfit", "why": f"it does not end within {SECONDS} s here"}
        except Exception as error:
            return {"came": "unfit", "why": f"it does not run here: {error}"[:300]}
        if not any(n["type"] == "Pod" and n["phase"] == "Succeeded" for n in found["nodes"].values()):
            return {"came": "unfit", "why": "no step of it succeeds here: " + found["message"][:200]}
        return {"came": "seen", "seen": found}

    def _attested(self, way, name, before):
        lines = self._lines(way, name, before)
        if lines:
            # What differs by chance does not differ again.
            lines = self._lines(way, name, before)
        expected = EXPECTED.get(name, ())
        came = "same" if not lines else "expected" if all(line.startswith(tuple(expected)) for line in lines) else "different"
        return {"came": came, **({"differences": lines} if lines else {})}

    def _lines(self, way, name, before):
        try:
            return differences(before, self._run(self.attested, way.of(self._documents(name)), MORE, watched))
        except Exception as error:
            return [f"it does not end: {error}"[:600]]

    @staticmethod
    def _run(case, documents, seconds, also=lambda running: None):
        """Applies what is no workflow, submits the workflow, waits and looks."""
        for document in (d for d in documents if d["kind"] != "Workflow"):
            case.kube.apply(json.dumps(document))
        workflow = next(d for d in documents if d["kind"] == "Workflow")
        name = workflow["metadata"].pop("name", None)
        workflow["metadata"].setdefault("generateName", f"{name}-")
        running = case.run(workflow)
        try:
            running.finished(seconds)
            also(running)
            return seen(running)
        finally:
            case.running.remove(running)
            running.kube.delete_workflow(running.name)
