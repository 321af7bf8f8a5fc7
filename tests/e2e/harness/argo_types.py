"""Argo's types as its JSON schema has them, and every place of a workflow that selects a Secret.

`data/argo-types.json` is what this file, run with the schema.json of one or more versions
(api/jsonschema/ in Argo's sources), makes of them: the types of all, each field with its type.
"""

import json
import os
import sys

DATA = os.path.join(os.path.dirname(__file__), "..", "data", "argo-types.json")
SPEC = "WorkflowSpec"
# What names a Secret, and by which member.
SELECTORS = {"SecretKeySelector": "name"}
OTHERS = {
    "LocalObjectReference": "name", "SecretEnvSource": "name", "SecretProjection": "name", "SecretVolumeSource": "secretName",
    "SecretReference": "name", "AzureFileVolumeSource": "secretName",
}


def reduced(*schemas):
    """Name, fields and required fields of all types that a workflow's spec leads to."""
    definitions = {}
    for schema in schemas:
        for name, shape in schema["definitions"].items():
            # Argo Events has types of the same names, which no workflow has.
            if name.startswith("io.argoproj.workflow.") or name.startswith("io.k8s."):
                known = definitions.setdefault(name.rpartition(".")[2], {"fields": {}, "required": []})
                known["fields"].update({k: _type(v) for k, v in shape.get("properties", {}).items()})
                known["required"] = shape.get("required", [])
    wanted, left = {}, [SPEC]
    while left:
        name = left.pop()
        if name in wanted or name not in definitions:
            continue
        wanted[name] = definitions[name]
        left += [kind.strip("[]{}") for kind in definitions[name]["fields"].values()]
    return wanted


def _type(shape):
    """`X`, `[X]` for a list and `{X}` for an object whose members are X."""
    if "$ref" in shape:
        name = shape["$ref"].rpartition(".")[2]
        return "[WorkflowStep]" if name == "ParallelSteps" else name
    if shape.get("type") == "array":
        return f"[{_type(shape['items'])}]"
    if isinstance(shape.get("additionalProperties"), dict):
        return f"{{{_type(shape['additionalProperties'])}}}"
    return shape.get("type", "any")


class Types:
    def __init__(self):
        with open(DATA, encoding="utf-8") as file:
            self.types = json.load(file)

    def paths(self, targets, start=SPEC):
        """Every path of fields to one of the types, a type within itself at most once (an inline template)."""
        yield from self._paths(targets, start, (), {})

    def _paths(self, targets, name, path, seen):
        if seen.get(name, 0) > (name == "Template"):
            return
        seen = {**seen, name: seen.get(name, 0) + 1}
        for field, kind in self.types.get(name, {"fields": {}})["fields"].items():
            inner = kind.strip("[]{}")
            # Argo refuses an inline template's own steps.
            if seen.get("Template", 0) > 1 and field in ("steps", "dag"):
                continue
            here = (*path, (field, kind))
            if inner in targets:
                yield here, inner
            elif inner in self.types:
                yield from self._paths(targets, inner, here, seen)

    def document(self, path, value):
        """The spec in which nothing but this path is filled, and what is required along it."""
        if not path:
            return value
        (field, kind), *rest = path
        inner = self._filled(kind.strip("[]{}"), self.document(rest, value))
        for sign in reversed(kind[: len(kind) - len(kind.lstrip("[{"))]):
            inner = [inner] if sign == "[" else {"x": inner}
        return {field: inner}

    def _filled(self, name, value):
        known = self.types.get(name, {"fields": {}, "required": []})
        lacking = [r for r in known["required"] if r not in value]
        return {**{r: {"string": "x", "boolean": False, "integer": 1}.get(known["fields"].get(r), {}) for r in lacking}, **value}


def merged(one, other):
    """Both documents in one; lists and objects side by side."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{k: merged(one[k], v) if k in one else v for k, v in other.items()}}
    if isinstance(one, list) and isinstance(other, list):
        return [merged(one[0], other[0])]
    return other


if __name__ == "__main__":
    read = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as source:
            read.append(json.load(source))
    with open(DATA, "w", encoding="utf-8") as file:
        json.dump(reduced(*read), file, sort_keys=True, separators=(",", ":"))
        file.write("\n")
