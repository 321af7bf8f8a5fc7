"""The pages' commands for a cluster, typed as they stand: tests/docs/elsewhere.json lists them.

Each page has what it takes for granted: a function here, under the page's name.
"""

import os

from harness import expect
from harness.manifests import admission, apply, manifest
from harness.page import Reader, blocks, listed
from harness.place import KEY_SECRET, POLICY, bind, place, role
from harness.scenario import scenario
from harness.step import BUILDER
from harness.waiting import wait_for

from .admission import injects, pod_of
from .inject import submitted

TUTORIAL = "docs/tutorial.md"


def page(name, alone=False):
    """Registers the scenario of a page, `docs/` and its name."""

    def register(check):
        short = os.path.splitext(os.path.basename(name))[0]
        scenario(f"docs/{short}", alone=alone)(lambda case: check(case, name))
        PAGES.add(name)
        return check

    return register


PAGES = set()


def bare(case):
    """A namespace in which workflows run, without key and policy: the page makes them."""
    case = place(case, key=False)
    case.kube.delete_config_map(POLICY)
    return case


def written(beginning, page=TUTORIAL):
    """A file that a page writes by a here-document: the block's first line says which."""
    body = next(body for _, body in blocks(page) if body.startswith(beginning))
    return body.split("<<'EOT'\n", 1)[1].split("EOT\n", 1)[0]


def hello(case, reader, change=lambda text: text):
    """The tutorial's workflow, injected and run."""
    reader.has("hello.yaml", change(written("cat > hello.yaml")))
    text = reader.types(
        f"argo-attest inject -f hello.yaml --image '{case.settings.image}' --builder-id {BUILDER}"
        f" --store-secret '{case.settings.s3_secret}' 2>log")
    return submitted(case, text)


def built(case, reader):
    """The tutorial's workflow has run; its first step's pod, and the key of what that left."""
    running = hello(case, reader)
    expect.succeeded(running, 120)
    build = pod_of(running, "build")
    return build, f"{build.prefix()}/app"


@page(TUTORIAL)
def tutorial(case, name):
    case = bare(case)
    Reader(case).reads(name)


@page("docs/how-to/install.md")
def install(case, name):
    """In the namespace as somebody finds it who installs: afterwards the tutorial's workflow runs."""
    case = bare(case)
    reader = Reader(case)
    reader.has("policy.yaml", written("cat > policy.yaml"))
    reader.reads(name)
    built(case, reader)


@page("docs/inject.md")
def inject(case, name):
    case = place(case)
    reader = Reader(case)
    reader.has("workflow.yaml", written("cat > hello.yaml"))
    assert "created" in reader.reads(name)[0]


@page("docs/sidecar.md")
def sidecar(case, name):
    """The key of the page, a step that it signs for, and what is asked of both."""
    case = bare(case)
    reader = Reader(case)
    reader.reads(name, end=1)
    with open(os.path.join(reader.home, "keys", "attest.pub"), encoding="ascii") as public:
        data = {"policy.yaml": reader.own(written("cat > policy.yaml")), "attest.pub": public.read()}
    case.kube.create_config_map(POLICY, data)
    pod, key = built(case, reader)
    reader.replaced.update({
        "build-x7k2/build-x7k2-compile-1234/app.tgz": key,
        "build-x7k2-compile-1234": pod.name,
    })
    printed = reader.reads(name, begin=1)
    assert '"state":"done"' in printed[-1], printed[-1]


def told_of_a_step(case, name):
    """A page that asks what a step's sidecar said."""
    case = place(case)
    pod, _ = built(case, Reader(case))
    reader = Reader(case, {"build-x7k2-compile-1234": pod.name})
    assert '"state":"done"' in reader.reads(name)[-1].replace(" ", "").replace("\n", "")


for _name in ("docs/faq.md", "docs/outcome.md"):
    page(_name)(told_of_a_step)


@page("docs/status.md")
def status(case, name):
    """With the rights that the page gives, by the account that it gives them to."""
    case = place(case)
    rules = [
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]},
    ]
    role(case, "argo-attest-status", rules)
    account = {"kind": "ServiceAccount", "name": "default", "namespace": case.kube.namespace}
    bind(case, "argo-attest-status", "Role", account, "status")
    pod, _ = built(case, Reader(case))
    wait_for("an event", 30, lambda: any(e["reason"] == "Attested" for e in case.kube.events(pod.name)))
    reader = Reader(case, {
        "build-x7k2/build-x7k2-compile-1234/": pod.prefix() + "/",
        "build-x7k2-compile-1234": pod.name,
        "build-x7k2": pod.running.name,
    })
    listing = reader.reads(name)[1]
    assert pod.name in listing and "1/1" in listing, listing


def refused(case):
    """A gate that fails: the object was changed after it was attested. The reader, whose names are those."""
    reader = Reader(case)
    build, key = built(case, reader)
    case.s3.put(key, b"something else\n")

    def only_use(text):
        head, templates = text.split("  templates:\n")
        use = templates[templates.index("  - name: use\n"):]
        use = use.replace("path: /in/app}", f"path: /in/app, s3: {{key: {key}}}}}")
        return head.replace("entrypoint: main", "entrypoint: use") + "  templates:\n" + use

    running = hello(case, reader, only_use)
    expect.failed(running)
    return Reader(case, {
        "hello-x7k2/hello-x7k2-build-1234/app": key,
        "hello-x7k2-use-1234": running.pod().name,
        "hello-x7k2": running.name,
    })


@page("docs/gate.md")
def gate(case, name):
    """What it says; and the ConfigMap that it reads, made anew as the page makes it."""
    case = place(case)
    reader = refused(case)
    case.kube.delete_config_map(POLICY)
    reader.has("policy.yaml", written("cat > policy.yaml"))
    with open(case.keys.public, encoding="ascii") as public:
        reader.has("keys/attest.pub", public.read())
    reader.reads(name)


@page("docs/how-to/read-a-failed-gate.md")
def read_a_failed_gate(case, name):
    reader = refused(place(case))
    said = reader.reads(name)[0]
    assert 'input "app" is not accepted' in said, said


@page("docs/how-to/rotate-keys.md")
def rotate_keys(case, name):
    """The next step is signed with the new key, and with no other."""
    case = place(case)
    reader = Reader(case)
    reader.reads(name)
    running = hello(case, reader, lambda text: text.replace("entrypoint: main", "entrypoint: build"))
    expect.succeeded(running)
    key = f"{running.pod().prefix()}/app"
    case.verifier.refused(key)
    case.verifier.accepted(key, public=os.path.join(reader.home, "keys-2027", "attest.pub"))


@page("docs/how-to/upgrade-and-remove.md", alone=True)
def upgrade_and_remove(case, name):
    """All of it is there, and then nothing is."""
    case = place(case, labels={"argo-attest.io/attest": "true", "argo-attest.io/protect": "true"})
    admission(case, "inject", effective=injects(case), everywhere=True)
    reader = Reader(case)
    for file in ("inject.yaml", "protect.yaml"):
        reader.has(f"admission/{file}", manifest(case, f"admission/{file}"))
    apply(case, "admission/protect.yaml")
    reader.reads(name)
    for kind, gone in (("secret", KEY_SECRET), ("configmap", POLICY), ("mutatingadmissionpolicy", "argo-attest-inject")):
        code, _ = case.kube.ask("get", kind, gone)
        assert code != 0, f"{kind} {gone} is still there"


_missing = set(listed()) - PAGES
assert not _missing, f"no scenario types the commands of {_missing}"
