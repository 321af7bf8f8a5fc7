#!/usr/bin/env python3
"""An image of 2 GiB in 20 layers: seconds from main's end until it is attested in its registry.

A pod is played around the real binary, as `sidecar.py` does. Twice main pushes the image to a
registry on loopback and ends:

  pushed    nothing of it is on a volume: what counts is what the registry says
  written   it is also an output, in an image layout on a volume, all of whose blobs are digested

"From SIGTERM" is what a native sidecar adds to the step; Argo's upload of the layout is before
that. Beside them is the time, right after, of tools that read the same bytes: curl from the
registry, openssl from the disk.

Needs versitygw, the registries and crane of tests/interop, curl, openssl, util-linux's unshare, 5 GiB of
disk and 3 GiB of memory times --scale. Standard library only. Exits 1 if anything is not attested.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

import pod
import s3
import sidecar

MIB = 1 << 20
CHECKOUT = sidecar.CHECKOUT
LAYERS = 20
LAYER_MIB = 102.4
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def installed(name):
    install = os.path.join(CHECKOUT, "tests/interop/install")
    asked = subprocess.run([install, "--where", name], stdout=subprocess.PIPE, text=True)
    return asked.stdout.strip() or sys.exit(f"needs tests/interop/install {name}")


class Registry:
    """go-containerregistry's, in memory."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "native"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def stop(self):
        self.process.kill()
        self.process.wait()


class ImagePod(pod.Pod):
    """A pod whose step names an image."""

    def __init__(self, *arguments, image, **how):
        self.image = image
        super().__init__(*arguments, **how)

    def declare(self, attest):
        template = super().declare(attest)
        template["metadata"]["annotations"] = {"argo-attest.io/images": self.image}
        return template

    def options(self):
        return ["--plain-http"]


def layout(directory, block, seed, layer):
    """Writes an image layout of so many layers; gives the files' names beneath it."""
    blobs = os.path.join(directory, "blobs/sha256")
    os.makedirs(blobs)
    names = []

    def blob(parts, kind):
        hashed, size, at = hashlib.sha256(), 0, os.path.join(blobs, "new")
        with open(at, "wb", buffering=0) as file:
            for part in parts:
                file.write(part)
                hashed.update(part)
                size += len(part)
        os.rename(at, os.path.join(blobs, hashed.hexdigest()))
        names.append(f"blobs/sha256/{hashed.hexdigest()}")
        return {"mediaType": kind, "digest": f"sha256:{hashed.hexdigest()}", "size": size}

    def text(value):
        return [json.dumps(value).encode()]

    kind = "application/vnd.oci.image.layer.v1.tar"
    layers = [blob(pod.chunks(block, seed * LAYERS + n, layer), kind) for n in range(LAYERS)]
    diffs = {"type": "layers", "diff_ids": [each["digest"] for each in layers]}
    config = blob(text({"architecture": "amd64", "os": "linux", "rootfs": diffs}), "application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    one = blob(text(manifest), MANIFEST) | {"platform": {"architecture": "amd64", "os": "linux"}}
    for name, value in (
        ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
        ("index.json", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [one]}),
    ):
        pod.write(os.path.join(directory, name), text(value))
        names.append(name)
    return names


class Bench:
    def __init__(self, options, root):
        self.binary, self.root, self.block = os.path.abspath(options.binary), root, pod.block()
        self.layer = max(MIB, round(LAYER_MIB * MIB * options.scale))
        self.store = s3.Server(s3.find(options.versitygw, CHECKOUT), root)
        self.registry = Registry(installed("registries"))
        self.crane = installed("crane")

    def stop(self):
        self.registry.stop()
        self.store.stop()

    def curl(self, image, blobs):
        repository = f"http://{image.rsplit(':', 1)[0].replace('/', '/v2/', 1)}"
        listed = f"{self.root}/urls"
        with open(listed, "w", encoding="ascii") as urls:
            for name in blobs:
                urls.write(f'url = "{repository}/blobs/sha256:{os.path.basename(name)}"\noutput = "/dev/null"\n')
        return sidecar.timed(["curl", "--disable", "--fail", "--silent", "--show-error", "--config", listed], self.root)

    def run(self, number, is_output):
        """One pod: seconds, and those of the tools."""
        place, image = f"{self.root}/pod{number}", f"{self.registry.address}/bench{number}:1"
        output = {"name": "out", "path": f"{place}/volume/out", "archive": {"none": {}}} if is_output else None
        played = ImagePod(self.binary, place, self.store, output=output, image=image)
        running = played.start()
        written = f"{played.work}/out" if is_output else f"{self.root}/elsewhere{number}"
        names = layout(written, self.block, number, self.layer)
        subprocess.run([self.crane, "push", "--insecure", written, image], check=True, capture_output=True)
        ended, upload = played.end(), 0
        if is_output:
            upload = self.store.put_all([(f"{pod.PREFIX}/out/{name}", f"{written}/{name}") for name in names])
        finished = running.finish()
        with open(played.log, encoding="utf-8") as log:
            message = json.load(log)
        wanted = 2 if is_output else 1
        if (message["attested"], message["notAttested"]) != (wanted, 0):
            sys.exit(f"not attested: {message}")
        verify = [self.binary, "verify", "--plain-http", "--quiet", "--key", f"{place}/keys/attest.pub", f"oci://{image}"]
        subprocess.run(verify, check=True, env={})
        blobs = [name for name in names if name.startswith("blobs/")]
        result = {
            "sinceSigtermSeconds": finished["exitSeconds"],
            "sinceEndSeconds": finished["told"] + finished["exitSeconds"] - ended,
            "uploadSeconds": upload,
            "peakRss": finished["peakRss"],
            "references": {
                # The last is the manifest, which a registry has elsewhere.
                "curl, all blobs from the registry": self.curl(image, blobs[:-1]),
                "openssl dgst -sha256, all blobs": sidecar.timed(["openssl", "dgst", "-sha256", *blobs], written),
            },
        }
        played.remove()
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="argo-attest, a release build")
    parser.add_argument("--scale", type=float, default=1, help="of the layers' size (default 1)")
    parser.add_argument("--versitygw", help="the S3 server's program")
    parser.add_argument("--dir", help="where to make the files (default: a temporary directory)")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    pod.in_own_mounts()
    with tempfile.TemporaryDirectory(prefix="argo-attest-bench-", dir=options.dir) as root:
        bench = Bench(options, root)
        try:
            began = time.monotonic()
            results = {"pushed": bench.run(1, False), "written": bench.run(2, True)}
            results["seconds"] = time.monotonic() - began
        finally:
            bench.stop()
    if options.json:
        print(json.dumps(results, indent=2))
        return
    print(f"an image of {LAYERS * bench.layer / MIB:g} MiB in {LAYERS} layers")
    for name, title in (("pushed", "pushed alone"), ("written", "also an output, in a layout on a volume")):
        row = results[name]
        print(f"\n{title}")
        sidecar.line("from main's end to attested", row["sinceEndSeconds"], "s", f"upload {row['uploadSeconds']:.3f} s")
        sidecar.line("from SIGTERM to the end of the process", row["sinceSigtermSeconds"], "s")
        for tool, took in row["references"].items():
            sidecar.line(f"  {tool}", took["seconds"], "s", f"ratio {row['sinceSigtermSeconds'] / took['seconds']:.2f}")
        sidecar.line("peak memory", row["peakRss"] / MIB, "MiB")


if __name__ == "__main__":
    main()
