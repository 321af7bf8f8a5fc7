#!/usr/bin/env python3
"""A bucket of many objects: `audit s3://bucket/prefix/` beside the plain LIST and GETs.

  audit    one call over a prefix of so many objects, each with an attestation beside it
  plain    the same listing, page after page, and the same bytes by `curl --parallel` over as many
           connections: each object and its bundle, nothing checked

Each number of objects has a server of its own; of several it is told how much memory each object
more takes. The goals, with a release binary and `--objects 5000 20000 100000`: audit within 1.5
times the plain requests, in less than 64 MiB. Needs versitygw and curl (7.75 or newer, which signs). Standard library only.
Exits 1 if anything was not attested, or with --goals if one of them is missed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

import many
import s3

CHECKOUT = many.CHECKOUT
SLOWER, MIB = 1.5, 64
# Addresses of one curl: it keeps all of them in memory.
CHUNK = 20_000
ATTESTERS = 2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(CHECKOUT, "target/debug/argo-attest"))
    parser.add_argument("--versitygw", help="the server's program")
    parser.add_argument("--objects", type=int, nargs="+", default=[5000], help="how many; several numbers, one after the other")
    parser.add_argument("--bytes", type=int, default=1024, help="of each object")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--dir", help="where the server keeps its objects; needs extended attributes")
    parser.add_argument("--goals", action="store_true", help="exit 1 if a goal is missed")
    parser.add_argument("--json", action="store_true", help="print one object for each number, and one for the memory")
    return parser.parse_args()


def attest_all(binary, env, root, keys):
    """Signs for each object, some calls at a time."""
    many.seconds([binary, "keygen", "--out-dir", "keys"], env, root)
    command = [binary, "attest", "--key", "keys/attest.key", "--builder-id", "https://ci.example.com/bench"]
    names = [f"s3://{s3.BUCKET}/{key}" for key in keys]
    batches = [names[at : at + many.BATCH] for at in range(0, len(names), many.BATCH)]
    while batches:
        now = [subprocess.Popen([*command, *batches.pop()], env=env, cwd=root, stdout=subprocess.DEVNULL)
               for _ in range(min(ATTESTERS, len(batches)))]
        if any([one.wait() for one in now]):
            sys.exit("attest failed")


def curl(server, root, lines):
    """One curl with these lines of configuration; its output."""
    path = os.path.join(root, "curl")
    with open(path, "w", encoding="ascii") as file:
        file.write(f'user = "{s3.ACCESS_KEY}:{s3.SECRET_KEY}"\naws-sigv4 = "aws:amz:{s3.REGION}:s3"\n'
                   'header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"\n' + lines)
    command = ["curl", "--silent", "--no-progress-meter", "--fail", "--parallel", "--parallel-max", str(many.AT_ONCE)]
    done = subprocess.run([*command, "--config", path], capture_output=True)
    if done.returncode != 0:
        sys.exit(f"curl: {done.returncode} {done.stderr[-300:]}")
    return done.stdout


def plain(server, root, keys):
    """Lists the prefix and gets each object and its bundle: the seconds of either."""
    base = f"http://{server.address}/{s3.BUCKET}"
    began, token, listed = time.monotonic(), None, 0
    while True:
        query = {"list-type": "2", "prefix": f"{many.PREFIX}/"}
        if token:
            query["continuation-token"] = token
        page = curl(server, root, f'url = "{base}?{urllib.parse.urlencode(sorted(query.items()), quote_via=urllib.parse.quote)}"\n').decode()
        listed += page.count("<Key>")
        found = re.search("<NextContinuationToken>(.*?)</NextContinuationToken>", page)
        if not found:
            break
        token = found[1].replace("&amp;", "&")
    list_seconds = time.monotonic() - began
    if listed != 3 * len(keys):
        sys.exit(f"{listed} keys of {3 * len(keys)} were listed")
    began = time.monotonic()
    names = [name for key in keys for name in (key, f"{key}.sigstore.json")]
    for at in range(0, len(names), CHUNK):
        lines = "".join(f'url = "{base}/{name}"\noutput = "/dev/null"\n' for name in names[at : at + CHUNK])
        curl(server, root, lines)
    return list_seconds, time.monotonic() - began


def audit(binary, env, root, count):
    """The seconds that it took, and its peak memory in MiB."""
    command = [binary, "audit", "--key", "keys/attest.pub", "-o", "json", "--report", "audit.json", f"s3://{s3.BUCKET}/{many.PREFIX}/"]
    began = time.monotonic()
    started = subprocess.Popen(command, env=env, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    took = time.monotonic() - began
    started.returncode = os.waitstatus_to_exitcode(status)
    with open(os.path.join(root, "audit.json"), encoding="utf-8") as file:
        attested = sum('"verdict":"attested"' in line for line in file)
    if started.returncode != 0 or attested != count:
        sys.exit(f"audit: {started.returncode}, {attested} of {count} attested")
    return took, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime


def measured(asked, binary, count):
    """What so many objects take: the middle one of some rounds, as a whole."""
    with tempfile.TemporaryDirectory(dir=asked.dir) as root:
        server = s3.Server(s3.find(asked.versitygw, CHECKOUT), root)
        try:
            env = {
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL_S3": f"http://{server.address}",
                "AWS_REGION": s3.REGION,
                "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY,
            }
            keys = many.fill(server, argparse.Namespace(objects=count, bytes=asked.bytes), root, many.PREFIX)
            attest_all(binary, env, root, keys)
            rounds = []
            # In turn, so that both meet the same machine.
            for _ in range(asked.repeat):
                listing, gets = plain(server, root, keys)
                took, memory, processor = audit(binary, env, root, len(keys))
                rounds.append({
                    "list": listing, "gets": gets, "audit": took, "processor": processor, "MiB": memory,
                    "ratio": took / (listing + gets)})
        finally:
            server.stop()
    found = sorted(rounds, key=lambda one: one["ratio"])[len(rounds) // 2]
    return {"objects": count, "bytes": asked.bytes, **{name: round(value, 2) for name, value in found.items()}}


def main():
    asked = arguments()
    binary = os.path.abspath(asked.binary)
    all_of = []
    for count in sorted(asked.objects):
        found = measured(asked, binary, count)
        all_of.append(found)
        if asked.json:
            print(json.dumps(found), flush=True)
            continue
        print(f"{count} objects of {asked.bytes} bytes, the middle of {asked.repeat}")
        print(f"plain   {found['list']:8.2f} s for the listing, {found['gets']:.2f} s for the GETs")
        print(f"audit   {found['audit']:8.2f} s, {found['ratio']} times that; {found['MiB']} MiB, {found['processor']} s of processor time", flush=True)
    first, last = all_of[0], all_of[-1]
    more = last["objects"] - first["objects"]
    if more > 0:
        each = (last["MiB"] - first["MiB"]) * (1 << 20) / more
        print(json.dumps({"bytesPerObject": round(each)}) if asked.json else f"each object more takes {each:.0f} bytes")
    if asked.goals and any(found["ratio"] > SLOWER or found["MiB"] > MIB for found in all_of):
        sys.exit(f"goals: {SLOWER} times, {MIB} MiB")


if __name__ == "__main__":
    main()
