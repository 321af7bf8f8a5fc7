"""Pages of the documents: their commands, typed as they stand, and what they show.

What a reader puts their own in place of is replaced as text. In what a page shows `…` stands for
any text, and for any lines where it stands alone; blanks are one blank, since kubectl's columns are
as wide as what is in them.
"""

import json
import os
import re
import subprocess
import tempfile

from .scenario import Skip

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
PRELUDE = os.path.join(ROOT, "tests", "docs", "given", "prelude.sh")
SECONDS = 420
LACKS = 77


def listed():
    """For each page, the first lines of the blocks that are for a cluster."""
    with open(os.path.join(ROOT, "tests", "docs", "elsewhere.json"), encoding="utf-8") as file:
        return json.load(file)["on a cluster"]


def blocks(page):
    """Language and text of each fenced block of a page."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        text = file.read()
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [(language, re.sub(f"^{indent}", "", body, flags=re.MULTILINE)) for indent, language, body in found]


def for_a_cluster(page):
    names = listed()[page]
    chosen = [(language, body) for language, body in blocks(page) if body.split("\n", 1)[0] in names]
    assert len(chosen) == len(names), f"{page}: {len(chosen)} blocks of {len(names)}"
    return chosen


class Step:
    """One thing to be typed; what is shown beneath it, if it is a command of a console block."""

    def __init__(self, commands, shown=None):
        self.commands = commands
        self.shown = shown


def steps(language, body):
    if language != "console":
        return [Step(body)]
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], []))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1].commands += "\n" + line[2:]
        else:
            found[-1].shown.append(line)
    return found


def matches(shown, printed):
    """Whether a page may show this of what was printed."""
    def lines(text):
        return [" ".join(line.split()) for line in text if line.strip()]

    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
        for line in lines(shown)
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in lines(printed.splitlines()))) is not None


class Reader:
    """Somebody at a shell with kubectl, the program and the store's credentials, in the case's namespace."""

    def __init__(self, case, replaced=None):
        self.case = case
        self._folder = tempfile.TemporaryDirectory(prefix="e2e-docs-")
        case.later(self._folder.cleanup)
        self.home = os.path.join(self._folder.name, "home")
        os.mkdir(self.home)
        # By the name that pages call it, whatever file the suite was given.
        programs = os.path.join(self._folder.name, "bin")
        os.mkdir(programs)
        os.symlink(os.path.abspath(case.verifier.binary), os.path.join(programs, "argo-attest"))
        settings = case.settings
        self.replaced = {
            "registry.example.com/argo-attest:0.1.0": settings.image,
            "busybox:1": settings.main_image,
            "s3-credentials": settings.s3_secret,
            "https://s3.example.com": settings.s3_endpoint,
            "us-east-1": settings.s3_region,
            "s3://artifacts/": f"s3://{settings.s3_bucket}/",
            "AWS_ACCESS_KEY_ID=…": f"AWS_ACCESS_KEY_ID={settings.s3_access_key}",
            "AWS_SECRET_ACCESS_KEY=…": f"AWS_SECRET_ACCESS_KEY={settings.s3_secret_key}",
            **(replaced or {}),
        }
        self.environment = {
            "HOME": self.home,
            "LANG": "C.UTF-8",
            "ROOT": ROOT,
            "PATH": programs + ":" + os.environ.get("PATH", ""),
            "KUBECONFIG": os.path.join(self._folder.name, "kubeconfig"),
            "AWS_ENDPOINT_URL_S3": settings.s3_endpoint,
            "AWS_REGION": settings.s3_region,
            "AWS_ACCESS_KEY_ID": settings.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key,
        }
        self._configure()

    def _configure(self):
        """The cluster's configuration, for whom the case's namespace is the current one."""
        kubectl = self.case.settings.kubectl
        told = subprocess.run(
            [*kubectl, "config", "view", "--raw", "--flatten"], check=True, capture_output=True, timeout=60)
        path = self.environment["KUBECONFIG"]
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(told.stdout)
        subprocess.run(
            [*kubectl, "--kubeconfig", path, "config", "set-context", "--current",
             "--namespace", self.case.kube.namespace],
            check=True, capture_output=True, timeout=60)

    def own(self, text):
        """The text with what is here in place of what a page says."""
        for name, value in self.replaced.items():
            text = text.replace(name, value)
        named = r"(-n |--namespace |kubectl label namespace |namespace: )(?:argo|ci)\b(?![-/])"
        return re.sub(named, rf"\g<1>{self.case.kube.namespace}", text)

    def has(self, name, content):
        """A file in the reader's folder."""
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.own(content))

    def types(self, commands):
        """Commands of the scenario's own."""
        return self._session([Step(commands)])[0]

    def reads(self, page, begin=0, end=None):
        """Types the page's blocks for a cluster, in their order and into one shell, and compares."""
        chosen = for_a_cluster(page)[begin:end]
        todo = [step for language, body in chosen for step in steps(language, self.own(body))]
        printed = self._session(todo)
        for step, text in zip(todo, printed):
            if step.shown is not None:
                assert matches(step.shown, text), f"{page}: {step.commands}\nshown: {step.shown}\nprinted: {text}"
        return printed

    def _session(self, todo):
        """What each printed. It has to end with success, unless a console shows what it printed."""
        folder = tempfile.mkdtemp(dir=self._folder.name)
        script = [f"cd; . '{PRELUDE}'", "needs aws jq kubectl", "_code=0"]
        if list(self.case.settings.kubectl) != ["kubectl"]:
            words = " ".join(f"'{word}'" for word in self.case.settings.kubectl)
            script.append(f'kubectl() {{ command {words} "$@"; }}')
        for at, step in enumerate(todo):
            file = os.path.join(folder, str(at))
            # What a console asks for with `echo $?`; anything else would end at it.
            script.append("set +e +o pipefail; (exit $_code)" if step.shown is not None else "set -eo pipefail")
            script.append(f"{{ {step.commands}\n}} >'{file}' 2>&1; _code=$?; echo $_code >'{file}.code'")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", "\n".join(script)], env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS * self.case.settings.patience)
        if done.returncode == LACKS and not os.path.exists(os.path.join(folder, "0")):
            raise Skip(f"needs {done.stderr.strip()}")
        printed = []
        for at, step in enumerate(todo):
            text = self._read(folder, str(at)) or ""
            code = self._read(folder, f"{at}.code")
            failed = code is None or (step.shown is None and code.strip() != "0")
            assert not failed, f"ended with {code or done.returncode}: {step.commands}\n{text}{done.stderr}"
            printed.append(text)
        return printed

    @staticmethod
    def _read(folder, name):
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return None
