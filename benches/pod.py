"""A step's pod, played around the sidecar: what Kubernetes and Argo prepare in it,
main, and what Argo's own containers do. The native form: the sidecar is ready
before main starts, and told after the upload."""

import atexit
import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

import s3

MIB = 1 << 20
BUILDER = "https://ci.example.com/argo"
NODE = "wf-step-1"
PREFIX = f"wf/{NODE}"
UNSHARED = "ARGO_ATTEST_BENCH_UNSHARED"
# No scenario hangs for longer than this, in seconds.
DEADLINE = 3600
# A sidecar that digests nothing for so long while files wait will not begin to.
STALLED = 60


def in_own_mounts():
    """Starts the script again where it may mount, and what it mounts ends with it."""
    if os.environ.get(UNSHARED):
        return
    for how in (["--mount"], ["--map-root-user", "--mount"]):
        if subprocess.run(["unshare", *how, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            os.execvpe("unshare", ["unshare", *how, sys.executable, *sys.argv], os.environ | {UNSHARED: "1"})
    sys.exit("needs util-linux's unshare, and root or user namespaces")


def block():
    """1 MiB that compresses to about half, as build outputs do."""
    text = b"what a compiler or a test says is text that repeats itself, line by line\n"
    page = (text * 60)[:4096]
    return bytearray(b"".join(os.urandom(4096) + page for _ in range(MIB // 8192)))


def chunks(block, number, size):
    """The bytes of file `number`, no two of them the same."""
    for at in range(0, size, MIB):
        block[:16] = number.to_bytes(8, "big") + at.to_bytes(8, "big")
        yield bytes(block[: min(MIB, size - at)])


def write(path, parts):
    with open(path, "wb", buffering=0) as out:
        for part in parts:
            out.write(part)


class Pod:
    """One pod, in a directory of its own that `remove` removes."""

    def __init__(self, binary, root, store, output=None, attest=True, before_exec=None, grace=DEADLINE, node=NODE):
        self.binary, self.root, self.store, self.output = binary, root, store, output
        self.before_exec, self.grace, self.node = before_exec, grace, node
        for name in ("argo/ctr/main", "volume", "secrets/s3-cred"):
            os.makedirs(f"{root}/{name}")
        for key, value in (("accesskey", s3.ACCESS_KEY), ("secretkey", s3.SECRET_KEY)):
            write(f"{root}/secrets/s3-cred/{key}", [value.encode()])
        # The build for pods makes no keys.
        os.mkdir(f"{root}/keys")
        key = f"{root}/keys/attest.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", f"{root}/keys/attest.pub"], check=True)
        self.work, self.log = f"{root}/volume", f"{root}/termination-log"
        # What is no mount is not what main sees, and is refused.
        subprocess.run(["mount", "--bind", self.work, self.work], check=True)
        self.metrics = f"127.0.0.1:{s3.free_port()}"
        self.template = self.declare(attest)

    def declare(self, attest):
        """The template, its fields in the order in which Argo writes them."""
        secret = {"name": "s3-cred"}
        return {
            "name": "step",
            "inputs": {},
            "outputs": {"artifacts": [self.output]} if self.output else {},
            "metadata": {"annotations": {"argo-attest.io/attest": "true" if attest else "false"}},
            "container": {
                "name": "",
                "image": "busybox",
                "command": ["true"],
                "resources": {},
                "volumeMounts": [{"name": "work", "mountPath": self.work}],
            },
            "archiveLocation": {
                "s3": {
                    "endpoint": self.store.address,
                    "bucket": s3.BUCKET,
                    "region": s3.REGION,
                    "insecure": True,
                    "accessKeySecret": secret | {"key": "accesskey"},
                    "secretKeySecret": secret | {"key": "secretkey"},
                    "key": f"wf/{self.node}",
                }
            },
        }

    def key(self):
        """What the sidecar signs with; None where that is in its options."""
        return f"{self.root}/keys/attest.key"

    def options(self):
        """What else the sidecar is given."""
        return []

    def env(self):
        """Variables that it is given beside its template."""
        return {}

    def call(self, *arguments):
        ran = subprocess.run([self.binary, *arguments], env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if ran.returncode != 0:
            sys.exit(f"argo-attest {arguments[0]} exited {ran.returncode}:\n{ran.stdout.decode(errors='replace')}")

    def start(self):
        """Starts the sidecar and waits as the hook does that holds main."""
        write(self.log, [])
        return Sidecar(self)

    def end(self):
        """Main ends well; gives the moment."""
        write(f"{self.root}/argo/ctr/main/exitcode", [b"0"])
        return time.time()

    def await_digested(self, files):
        """Main works on, and writes nothing more, until all is digested."""
        seen, since = 0, time.monotonic()
        while (now := self.digested()) < files:
            if now > seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() > since + STALLED:
                with open(f"{self.root}/log", encoding="utf-8", errors="replace") as said:
                    sys.exit(f"{now} of {files} files were digested, and then none for {STALLED} s:\n{said.read()[-4000:]}")
            time.sleep(0.05)

    def digested(self):
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        return sum(int(line.split()[-1]) for line in lines if line.startswith("argo_attest_files_digested_total{"))

    def remove(self):
        subprocess.run(["umount", self.work], check=True)
        shutil.rmtree(self.root)
        self.store.clear()


class Sidecar:
    """The sidecar's process, ready."""

    def __init__(self, pod):
        self.pod, self.peak = pod, 0
        root = pod.root
        options = {
            "--builder-id": BUILDER,
            "--argo-dir": f"{root}/argo",
            "--secrets-dir": f"{root}/secrets",
            "--termination-log": pod.log,
            "--metrics-listen": pod.metrics,
            "--mode": "native",
            "--grace-period": str(pod.grace),
            "--pod-uid": f"bench-{pod.node}",
            "--node-id": pod.node,
            "--workflow-uid": "bench-workflow",
        }
        if pod.key():
            options["--key"] = pod.key()
        command = [pod.binary, "sidecar", *(part for option in options.items() for part in option), *pod.options()]
        env = {"ARGO_TEMPLATE": json.dumps(pod.template, separators=(",", ":"))} | pod.env()
        with open(f"{root}/log", "ab") as said:
            began = time.monotonic()
            self.process = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                preexec_fn=pod.before_exec,
            )
        atexit.register(self.process.kill)
        pod.call("ready", "--wait=60s", "--termination-log", pod.log)
        self.ready_seconds = time.monotonic() - began
        threading.Thread(target=self.watch, daemon=True).start()

    def status(self, *fields):
        """Kilobytes of the fields of /proc/PID/status; None once it has ended."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                found = dict(line.split(":", 1) for line in status)
            return [int(found[field].split()[0]) for field in fields]
        except (OSError, KeyError):
            return None

    def watch(self):
        """The kernel forgets the peak with the process, so it is asked while that lives."""
        while self.process.returncode is None and (peak := self.status("VmHWM")):
            self.peak = peak[0]
            time.sleep(0.01)

    def memory(self):
        """Bytes resident, and those of them that no file backs."""
        resident, anonymous = self.status("VmRSS", "RssAnon")
        return {"rss": resident << 10, "anonymous": anonymous << 10}

    def processor(self):
        """Nanoseconds on a processor, all threads."""
        tasks = f"/proc/{self.process.pid}/task"
        total = 0
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat", encoding="ascii") as counters:
                total += int(counters.read().split()[0])
        return total

    def used(self):
        """CPU seconds so far, threads that ended included; of clock ticks."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def finish(self, key=None):
        """SIGTERM, and what came of it: with a key, the output must be attested."""
        used, told = self.used(), time.time()
        self.process.terminate()
        killer = threading.Timer(DEADLINE, self.process.kill)
        killer.start()
        _, status, usage = os.wait4(self.process.pid, 0)
        ended = time.time()
        killer.cancel()
        # Popen must not wait for a child that is reaped.
        self.process.returncode = os.waitstatus_to_exitcode(status)
        with open(self.pod.log, encoding="utf-8") as log:
            message = log.read()
        if self.process.returncode != 0 or key and json.loads(message).get("attested") != 1:
            sys.exit(f"the sidecar exited {self.process.returncode}: {message}")
        result = {"told": told, "exitSeconds": ended - told, "peakRss": self.peak << 10}
        result["cpuSeconds"] = usage.ru_utime + usage.ru_stime - used
        return result | (attestation(self.pod.store, key) if key else {})


def attestation(store, key):
    """When the output's attestation was stored, and what it says of bytes read."""
    paths = [store.file(f"{key}{suffix}") for suffix in (".sigstore.json", ".intoto.jsonl")]
    with open(paths[0], encoding="utf-8") as bundle:
        payload = json.load(bundle)["dsseEnvelope"]["payload"]
    predicate = json.loads(base64.b64decode(payload))["predicate"]
    return {
        # What a certificate signed has one form only.
        "stored": max(os.stat(path).st_ctime for path in paths if os.path.exists(path)),
        "observed": predicate["buildDefinition"]["internalParameters"]["observed"],
    }
