"""The one image that the examples run in: a shell, Python, and stand-ins for what cannot be had.

Made from what this machine has. `random` is seeded, so that a coin falls the same way twice.
"""

import os
import shutil
import stat
import subprocess
import sys

NAME = "localhost/examples:1"

SEEN = """#!/bin/sh
# Tells on standard error, which no result is taken from, of every byte that was staged.
for path in $SEEN_PATHS; do
  find "$path" 2>/dev/null | sort | while read -r at; do
    if [ -L "$at" ]; then echo "seen: $at -> $(readlink "$at")" >&2
    elif [ -f "$at" ]; then echo "seen: $at $(sha256sum < "$at" | cut -d' ' -f1) $(stat -c %a "$at")" >&2
    else echo "seen: $at/ $(stat -c %a "$at")" >&2; fi
  done
done
exec "$@"
"""
ARGOSAY = """#!/bin/sh
case "${1:-}" in
  "") echo "hello argo" ;;
  echo) if [ $# -gt 2 ]; then mkdir -p "$(dirname "$3")"; echo "$2" > "$3"; else echo "$2"; fi ;;
  cat) shift; cat "$@" ;;
  sleep) sleep "$2" ;;
  exit) exit "${2:-0}" ;;
  *) exit 1 ;;
esac
"""
COWSAY = "#!/bin/sh\necho \"$*\"\n"
BASH = "#!/bin/sh\nexec /bin/sh \"$@\"\n"
SEEDED = "import random\nrandom.seed(1)\n"


def make(folder):
    """Lays the image's root out in `folder`."""
    os.makedirs(os.path.join(folder, "bin"))
    for at in ("etc", "tmp", "usr/bin", "usr/lib", "mnt", "lib64", "root"):
        os.makedirs(os.path.join(folder, at), exist_ok=True)
    os.chmod(os.path.join(folder, "tmp"), 0o1777)
    with open(os.path.join(folder, "etc/passwd"), "w", encoding="ascii") as file:
        file.write("root:x:0:0::/root:/bin/sh\nnonroot:x:65532:65532::/:/bin/sh\n")
    with open(os.path.join(folder, "etc/os-release"), "w", encoding="ascii") as file:
        file.write("NAME=Examples\n")
    busybox = shutil.which("busybox")
    shutil.copy(busybox, os.path.join(folder, "bin/busybox"))
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            os.symlink("busybox", os.path.join(folder, "bin", name))
    for name, text in {"seen": SEEN, "argosay": ARGOSAY, "cowsay": COWSAY, "bash": BASH}.items():
        path = os.path.join(folder, "bin", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
    os.symlink("bin/argosay", os.path.join(folder, "argosay"))
    python(folder)


def python(folder):
    """Debian's Python with the libraries that it and its modules need."""
    real = os.path.realpath("/usr/bin/python3")
    version = os.path.basename(real)
    shutil.copy(real, os.path.join(folder, "usr/bin", version))
    for name in ("python", "python3"):
        os.symlink(version, os.path.join(folder, "usr/bin", name))
    library = os.path.join("usr/lib", version)
    skipped = shutil.ignore_patterns("test", "tests", "idlelib", "lib2to3", "ensurepip", "__pycache__", "config-*", "dist-packages", "tkinter", "pydoc_data")
    shutil.copytree(os.path.join("/", library), os.path.join(folder, library), ignore=skipped, symlinks=False)
    with open(os.path.join(folder, library, "sitecustomize.py"), "w", encoding="ascii") as file:
        file.write(SEEDED)
    linked = subprocess.run(["ldd", real], capture_output=True, text=True, check=True).stdout
    for path in (word for word in linked.split() if word.startswith("/")):
        target = os.path.join(folder, path.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.realpath(path), target)
        os.chmod(target, os.stat(target).st_mode | stat.S_IXUSR)


if __name__ == "__main__":
    make(sys.argv[1])
