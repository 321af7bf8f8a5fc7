"""An image that builds images: go-containerregistry's writer, which kaniko has too, buildah, and
buildkit.

Made from what this machine has. Without buildah, or buildkit, scenarios that need it are skipped.
"""

import os
import shutil
import stat
import subprocess
import sys

NAME = "localhost/builder:1"

POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}\n'
STORAGE = '[storage]\ndriver = "vfs"\nrunroot = "/tmp/run"\ngraphroot = "/tmp/graph"\n'


def registries():
    """The program, or None where it is not installed."""
    return installed("registries")


def buildkit():
    """buildctl, beside which buildkitd lies, or None where they or runc are not installed."""
    return installed("buildkit") if shutil.which("runc") else None


def installed(name):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    install = os.path.join(root, "tests", "interop", "install")
    told = subprocess.run([install, "--where", name], capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else None


def make(folder):
    """Lays the image's root out in `folder`."""
    os.makedirs(os.path.join(folder, "bin"))
    for at in ("etc/containers", "tmp", "var/tmp", "root", "usr/bin", "usr/lib", "lib64"):
        os.makedirs(os.path.join(folder, at), exist_ok=True)
    os.chmod(os.path.join(folder, "tmp"), 0o1777)
    text(folder, "etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    text(folder, "etc/containers/policy.json", POLICY)
    text(folder, "etc/containers/storage.conf", STORAGE)
    text(folder, "etc/containers/registries.conf", "unqualified-search-registries = []\n")
    busybox = shutil.which("busybox")
    shutil.copy(busybox, os.path.join(folder, "bin/busybox"))
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            os.symlink("busybox", os.path.join(folder, "bin", name))
    shutil.copy(registries(), os.path.join(folder, "bin/registries"))
    buildah = shutil.which("buildah")
    if buildah:
        with_libraries(folder, buildah)
    if buildkit():
        shutil.copy(buildkit(), os.path.join(folder, "bin/buildctl"))
        shutil.copy(os.path.join(os.path.dirname(buildkit()), "buildkitd"), os.path.join(folder, "bin/buildkitd"))
        # Its worker wants one, also for a build that runs nothing.
        with_libraries(folder, shutil.which("runc"))


def with_libraries(folder, program):
    shutil.copy(program, os.path.join(folder, "usr/bin"))
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for path in (word for word in linked.split() if word.startswith("/")):
        target = os.path.join(folder, path.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.realpath(path), target)
        os.chmod(target, os.stat(target).st_mode | stat.S_IXUSR)


def text(folder, at, content):
    with open(os.path.join(folder, at), "w", encoding="ascii") as file:
        file.write(content)


if __name__ == "__main__":
    make(sys.argv[1])
