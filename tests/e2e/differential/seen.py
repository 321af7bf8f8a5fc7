"""What a workflow's user could see of it, without what no two runs share."""

import re

# Files that the kubelet writes for each pod anew; an example takes the whole of /etc.
OF_THE_POD = re.compile(r"/etc/(hosts|hostname|resolv\.conf) ")


def seen(running):
    """Phase, message, outputs; of each node the same; of each main the bytes of its inputs."""
    workflow = running.workflow()
    status = workflow.get("status", {})
    plain = Plain(running.name)
    nodes = {}
    for node in status.get("nodes", {}).values():
        nodes[plain(node["name"])] = {
            "type": node["type"],
            "phase": node.get("phase"),
            "message": plain(node.get("message", "")),
            "template": node.get("templateName", ""),
            "inputs": parameters(node.get("inputs", {}), plain),
            "outputs": parameters(node.get("outputs", {}), plain),
        }
    return {
        "phase": status.get("phase"),
        "message": plain(status.get("message", "")),
        "outputs": parameters(status.get("outputs", {}), plain),
        "nodes": nodes,
        "staged": staged(running, status, plain),
    }


def parameters(told, plain):
    """Parameters and result by value, artifacts by name: where they lie is the controller's to say."""
    found = {f"parameter {p['name']}": plain(p.get("value", "")) for p in told.get("parameters", [])}
    if "result" in told:
        found["result"] = plain(told["result"])
    if "exitCode" in told:
        found["exitCode"] = told["exitCode"]
    logs = lambda name: name.endswith("-logs")  # noqa: E731
    found.update({f"artifact {a['name']}": a.get("path", "") for a in told.get("artifacts", []) if not logs(a["name"])})
    return found


def staged(running, status, plain):
    """What each main told of its inputs; of a pod that is gone, that it is gone."""
    pods = {pod.node_id(): pod for pod in running.pods()}
    found = {}
    for node in status.get("nodes", {}).values():
        if node["type"] != "Pod" or not node.get("inputs", {}).get("artifacts"):
            continue
        name = plain(node["name"])
        pod = pods.get(node["id"])
        if pod is None:
            found[name] = ["the pod is gone"]
            continue
        mains = [c["name"] for c in pod.document["spec"]["containers"] if c["name"] not in ("wait", "argo-attest")]
        lines = []
        for main in mains:
            try:
                text = pod.logs(main)
            except Exception:  # it never started
                continue
            lines += [plain(line) for line in text.splitlines() if line.startswith("seen: ") and not OF_THE_POD.search(line)]
        found[name] = lines
    return found


class Plain:
    """Text without names, numbers and times that are this run's own."""

    def __init__(self, name):
        self._pod = re.compile(re.escape(name) + r"-[A-Za-z0-9.-]*?\d{5,}")
        self._name = name

    def __call__(self, text):
        text = self._pod.sub("<pod>", str(text)).replace(self._name, "<workflow>")
        text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z| [+-]\d{4} UTC)?", "<time>", text)
        return re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", "<uid>", text)


def differences(one, other):
    """Each on a line: where, what it was, what it is."""
    found = []
    _compare("", one, other, found)
    return found


def _compare(where, one, other, found):
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            _compare(f"{where}/{key}" if where else key, one.get(key), other.get(key), found)
    elif one != other:
        found.append(f"{where}: {one!r} became {other!r}"[:600])
