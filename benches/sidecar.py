#!/usr/bin/env python3
"""What the sidecar adds to a step: seconds at its end, memory, time to ready, size.

A pod is played around the real binary, with a real S3 server on loopback. Three
ends of a step are timed, each once:

  as they are   10,000 files of 1 MiB, closed and digested while main runs, stored
                one object a file
  as a tar      the same, stored as one tar.gz, which has to be read back
  at the end    one file of 2 GiB, closed right before main ends, stored already

"From SIGTERM" is what a native sidecar adds to the step: it is told once Argo has
uploaded. "From main's end" has that upload in it, which takes as long without a
sidecar. Both end when the attestation is in the store, read back and verified
after that. Beside each is the time, right after it, of tools that everybody has,
for the same bytes or the same requests: seconds depend on the machine, ratios less.

Needs versitygw, openssl, tar and curl, util-linux's unshare, and 21 GiB of disk times --scale.
Standard library only. Exits 1 if anything is not attested.
"""

import argparse
import atexit
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib

import pod
import s3

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCENARIOS = ("stored", "packed", "late", "memory", "start")
STARTS = 9
IDLE_SECONDS = 5


class Bench:
    """The server, a place for pods, and how much of everything."""

    def __init__(self, options, root):
        self.binary, self.root, self.pods = os.path.abspath(options.binary), root, 0
        self.block = pod.block()
        self.files, self.bytes = max(1, round(10_000 * options.scale)), options.bytes
        self.small = max(1, round(100_000 * options.scale))
        self.late = max(MIB, round(2 * GIB * options.scale))
        self.server = s3.Server(s3.find(options.versitygw, CHECKOUT), root)
        atexit.register(self.server.stop)
        s3.Client(self.server.address).request("PUT", "warm-up")

    def pod(self, **how):
        self.pods += 1
        root = f"{self.root}/pod{self.pods}"
        output = how.pop("output", None)
        if output is not None:
            output = {"name": "out", "path": f"{root}/volume/out"} | output
        return pod.Pod(self.binary, root, self.server, output=output, **how)

    def fill(self, played, count, size):
        """Main writes files, a hundred to a directory; gives their names beneath work."""
        names = [f"out/{n // 100:03}/{n:06}" for n in range(count)]
        for number, name in enumerate(names):
            path = f"{played.work}/{name}"
            if number % 100 == 0:
                os.makedirs(os.path.dirname(path))
            pod.write(path, pod.chunks(self.block, number, size))
        return names


def stored(bench):
    """Files stored as they are."""
    played = bench.pod(output={"archive": {"none": {}}})
    sidecar = played.start()
    names = bench.fill(played, bench.files, bench.bytes)
    played.await_digested(len(names))
    keys = [f"{pod.PREFIX}/{name}" for name in names]
    ended = played.end()
    upload = bench.server.put_all([(key, f"{played.work}/{name}") for key, name in zip(keys, names)])
    result = times(ended, upload, sidecar.finish(f"{pod.PREFIX}/out"))
    result["references"] = {
        "curl, the same HEADs, 32 at once": curl_heads(bench, keys),
        "one HEAD after another": one_by_one(bench, keys),
        "openssl dgst -sha256, all files": timed(["xargs", "--arg-file", listed(bench, names), "openssl", "dgst", "-sha256"], played.work),
    }
    played.remove()
    return result


def packed(bench):
    """The same, as a tar.gz."""
    played = bench.pod(output={})
    sidecar = played.start()
    names = bench.fill(played, bench.files, bench.bytes)
    played.await_digested(len(names))
    key = f"{pod.PREFIX}/out.tgz"
    ended = played.end()
    began = time.monotonic()
    upload = Gzip(s3.Client(bench.server.address).upload(key))
    with tarfile.open(fileobj=upload, mode="w|", bufsize=MIB) as archive:
        archive.add(f"{played.work}/out", "out")
    upload.close()
    result = times(ended, time.monotonic() - began, sidecar.finish(key))
    result["objectBytes"] = os.path.getsize(bench.server.file(key))
    read_back = 'tar -xzOf "$1" | openssl dgst -sha256 && openssl dgst -sha256 "$1"'
    shell = ["sh", "-c", read_back, "sh", bench.server.file(key)]
    result["references"] = {"tar -xzO | openssl, and openssl on the object": timed(shell, played.work)}
    played.remove()
    return result


def late(bench):
    """One file that is closed right at the end."""
    played = bench.pod(output={"archive": {"none": {}}})
    sidecar = played.start()
    key = f"{pod.PREFIX}/out"
    content = pod.chunks(bench.block, 0, bench.late)
    s3.Client(bench.server.address).put(key, content, bench.late)
    pod.write(f"{played.work}/out", pod.chunks(bench.block, 0, bench.late))
    ended = played.end()
    result = times(ended, 0, sidecar.finish(key))
    result["references"] = {"openssl dgst -sha256": timed(["openssl", "dgst", "-sha256", "out"], played.work)}
    played.remove()
    return result


def memory(bench):
    """Resident memory: idle, ready, and with very many files."""
    result = {}
    for name, how in (("not opted in", {"attest": False}), ("ready, nothing written", {"output": {}})):
        played = bench.pod(**how)
        sidecar = played.start()
        time.sleep(1)
        before = sidecar.processor()
        time.sleep(IDLE_SECONDS)
        used = (sidecar.processor() - before) / 1e9 / IDLE_SECONDS
        result[name] = sidecar.memory() | {"cpuShare": used}
        sidecar.finish()
        played.remove()
    played = bench.pod(output={"archive": {"none": {}}})
    sidecar = played.start()
    names = bench.fill(played, bench.small, KIB)
    played.await_digested(len(names))
    settled = sidecar.memory()
    played.end()
    bench.server.put_all([(f"{pod.PREFIX}/{name}", f"{played.work}/{name}") for name in names])
    finished = sidecar.finish(f"{pod.PREFIX}/out")
    result[f"{bench.small} files digested"] = settled
    result["... at the peak, attesting them"] = {"rss": finished["peakRss"]}
    result["seconds from SIGTERM"] = finished["stored"] - finished["told"]
    played.remove()
    return result


def start(bench):
    """From the start of the process until `ready --wait` says so."""
    seconds = []
    for _ in range(STARTS):
        played = bench.pod(output={})
        sidecar = played.start()
        seconds.append(sidecar.ready_seconds)
        sidecar.finish()
        played.remove()
    return {"seconds": statistics.median(seconds), "slowest": max(seconds), "runs": STARTS}


class Gzip:
    """A file that writes what is written to it to another one, compressed quickly."""

    def __init__(self, to):
        self.to, self.packer = to, zlib.compressobj(1, wbits=31)

    def write(self, data):
        self.to.write(self.packer.compress(data))
        return len(data)

    def close(self):
        self.to.write(self.packer.flush())
        self.to.close()


def times(ended, upload, finished):
    observed = finished["observed"]
    return {
        "uploadSeconds": upload,
        "sinceEndSeconds": finished["stored"] - ended,
        "sinceSigtermSeconds": finished["stored"] - finished["told"],
        "exitSinceSigtermSeconds": finished["exitSeconds"],
        "cpuSinceSigtermSeconds": finished["cpuSeconds"],
        "bytesReadBeforeEnd": observed["bytesDigestedWhileRunning"],
        "bytesReadAfterEnd": observed["bytesDigestedAfterEnd"],
        "peakRss": finished["peakRss"],
    }


def timed(command, cwd):
    """Seconds of a command: by the clock, and on processors."""
    used, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ran = subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode != 0:
        sys.exit(f"{command[:3]} exited {ran.returncode}: {ran.stderr[:500]!r}")
    return {"seconds": seconds, "cpuSeconds": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime}


def listed(bench, names):
    """A file with a name a line: there may be more than a command line takes."""
    with open(f"{bench.root}/names", "w", encoding="ascii") as lines:
        lines.writelines(f"{name}\n" for name in names)
    return lines.name


def curl_heads(bench, keys):
    listed = f"{bench.root}/urls"
    with open(listed, "w", encoding="ascii") as urls:
        urls.writelines(f"url = http://{bench.server.address}/{s3.BUCKET}/{key}\n" for key in keys)
    signed = ["--aws-sigv4", f"aws:amz:{s3.REGION}:s3", "--user", f"{s3.ACCESS_KEY}:{s3.SECRET_KEY}"]
    unsigned_payload = ["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    parallel = ["--parallel", "--parallel-max", "32", "--head", "--fail", "--silent", "--show-error"]
    return timed(["curl", "--disable", *parallel, *signed, *unsigned_payload, "--config", listed], bench.root)


def one_by_one(bench, keys):
    """All of them one after the other, from the median of some."""
    client, seconds = s3.Client(bench.server.address), []
    for key in keys[:500]:
        began = time.monotonic()
        client.head(key)
        seconds.append(time.monotonic() - began)
    client.close()
    return {"seconds": statistics.median(seconds) * len(keys)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="argo-attest, a release build")
    parser.add_argument("--scale", type=float, default=1, help="of all numbers of files and sizes (default 1)")
    parser.add_argument("--bytes", type=int, default=MIB, help="of each of very many files (default 1 MiB)")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="not all of it; may be repeated")
    parser.add_argument("--image", help="the image's archive, for its size")
    parser.add_argument("--versitygw", help="the S3 server's program")
    parser.add_argument("--dir", help="where to make the files (default: a temporary directory)")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    pod.in_own_mounts()
    for tool in ("curl", "openssl", "tar"):
        if shutil.which(tool) is None:
            sys.exit(f"needs {tool} to compare with")
    results = {"cpus": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0], "scale": options.scale}
    results["sizes"] = {"binary": os.path.getsize(options.binary)}
    if options.image and os.path.exists(options.image):
        results["sizes"]["image"] = os.path.getsize(options.image)
    with tempfile.TemporaryDirectory(prefix="argo-attest-bench-", dir=options.dir) as root:
        need = (20_000 * options.bytes + GIB) * options.scale + 256 * MIB
        if shutil.disk_usage(root).free < need:
            sys.exit(f"needs {need / GIB:.1f} GiB free in {root}; choose another --dir, or a smaller --scale")
        bench = Bench(options, root)
        for name in options.only or SCENARIOS:
            results[name] = globals()[name](bench)
        bench.server.stop()
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        show(bench, results)


def show(bench, results):
    print(f"{results['cpus']} CPUs, load {results['load']:.1f} at the start, scale {results['scale']:g}")
    titles = {
        "stored": f"{bench.files} files of {bench.bytes / KIB:g} KiB, stored as they are",
        "packed": f"{bench.files} files of {bench.bytes / KIB:g} KiB, stored as one tar.gz",
        "late": f"one file of {bench.late / MIB:g} MiB, closed at the end",
    }
    for name in filter(results.__contains__, titles):
        row = results[name]
        print(f"\n{titles[name]}")
        spent = row["cpuSinceSigtermSeconds"]
        line("from SIGTERM to attested", row["sinceSigtermSeconds"], "s", f"CPU {spent:.3f} s")
        for tool, took in row["references"].items():
            notes = [f"ratio {row['sinceSigtermSeconds'] / took['seconds']:.2f}"]
            if cpu := took.get("cpuSeconds"):
                notes.append(f"CPU {cpu:.3f} s, ratio {spent / cpu:.2f}")
            line(f"  {tool}", took["seconds"], "s", ", ".join(notes))
        line("from main's end to attested", row["sinceEndSeconds"], "s", f"upload {row['uploadSeconds']:.3f} s")
        line("from SIGTERM to the end of the process", row["exitSinceSigtermSeconds"], "s")
        before = f"while it ran {row['bytesReadBeforeEnd'] / MIB:.1f} MiB"
        line("read of the volume after main's end", row["bytesReadAfterEnd"] / MIB, "MiB", before)
        if "objectBytes" in row:
            line("the object", row["objectBytes"] / MIB, "MiB")
        line("peak memory", row["peakRss"] / MIB, "MiB")
    if memory_of := results.get("memory"):
        print("\nresident memory")
        for name, row in memory_of.items():
            if name == "seconds from SIGTERM":
                line(f"... {name} to attested", row, "s")
                continue
            notes = [f"anonymous {row['anonymous'] / MIB:.1f} MiB"] if "anonymous" in row else []
            notes += [f"CPU {row['cpuShare'] * 100:.3f} %"] if "cpuShare" in row else []
            line(name, row["rss"] / MIB, "MiB", ", ".join(notes))
    if started := results.get("start"):
        print()
        line("from start to ready", started["seconds"], "s", f"median of {started['runs']}, slowest {started['slowest']:.3f}")
    print()
    for name, size in results["sizes"].items():
        line(f"size of the {name}", size / MIB, "MiB")


def line(label, number, unit, note=""):
    print(f"  {label:48}{number:10.3f} {unit:4}{note}".rstrip())


if __name__ == "__main__":
    main()
