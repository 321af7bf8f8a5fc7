"""A real S3 server on loopback, and the few requests that the bench makes to it.

The server is versitygw over a directory: like S3 it computes a CRC-64/NVME of what
it stores, and every object is a file whose change time says when it was stored.
Requests are signed with AWS Signature Version 4, payloads excepted: the clock is
on the sidecar, not on hashing in Python.
"""

import datetime
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

ACCESS_KEY, SECRET_KEY = "bench-access-key", "bench-secret-key"
REGION, BUCKET = "us-east-1", "bucket"
MIB = 1 << 20
# Argo's client stores larger files in parts; S3 refuses them whole above 5 GiB.
PART = 64 * MIB
UPLOADERS = 4


def find(given, checkout):
    """The server's program: as given, on the path, or where the interop tests have it."""
    if given:
        return os.path.abspath(given)
    install = os.path.join(checkout, "tests/interop/install")
    asked = subprocess.run([install, "--where", "versitygw"], stdout=subprocess.PIPE, text=True)
    found = shutil.which("versitygw") or asked.stdout.strip()
    if not found:
        sys.exit("needs versitygw: `make tools` installs it, or name it with --versitygw")
    return found


class Server:
    """versitygw, from the time this is made until `stop`."""

    def __init__(self, program, root):
        self.data = os.path.join(root, "store")
        os.makedirs(os.path.join(self.data, BUCKET))
        try:
            os.setxattr(self.data, "user.bench", b"1")
        except OSError as error:
            sys.exit(f"{root}: the server needs extended attributes ({error}); choose another --dir")
        self.address = f"127.0.0.1:{free_port()}"
        # S3 keeps connections open, too.
        command = [program, "--port", self.address, "--quiet", "--keep-alive", "posix", self.data]
        secrets = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
        self.process = subprocess.Popen(
            command, env=secrets, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(self.address.split(":"), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    sys.exit(f"{program} does not listen on {self.address}")
                time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def file(self, key):
        """Where the object lies."""
        return os.path.join(self.data, BUCKET, key)

    def clear(self):
        """Removes all objects."""
        bucket = os.path.join(self.data, BUCKET)
        for name in os.listdir(bucket):
            path = os.path.join(bucket, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def put_all(self, objects):
        """Stores (key, path of a file) pairs, over a few connections; gives the seconds."""
        began = time.monotonic()

        def store(mine):
            client = Client(self.address)
            for key, path in mine:
                with open(path, "rb", buffering=0) as body:
                    client.put(key, body, os.path.getsize(path))
            client.close()

        with ThreadPoolExecutor(UPLOADERS) as pool:
            list(pool.map(store, (objects[n::UPLOADERS] for n in range(UPLOADERS))))
        return time.monotonic() - began


class Client:
    """One connection, one request at a time."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=600, blocksize=MIB)

    def close(self):
        self.connection.close()

    def request(self, method, key, query="", body=None, length=0):
        path = urllib.parse.quote(f"/{BUCKET}/{key}")
        headers = sign(method, self.connection, path, query)
        if method in ("PUT", "POST"):
            headers["content-length"] = str(length)
        self.connection.request(method, path + (f"?{query}" if query else ""), body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return answer, text

    def head(self, key):
        self.request("HEAD", key)

    def put(self, key, body, length):
        """Stores the whole of `body`, a file or chunks."""
        self.request("PUT", key, body=body, length=length)

    def upload(self, key):
        """A file to write to, which becomes the object when closed."""
        return Upload(self, key)


class Upload:
    """An upload in parts, of a length not known before."""

    def __init__(self, client, key):
        self.client, self.key, self.tags, self.rest = client, key, [], bytearray()
        _, text = client.request("POST", key, "uploads=")
        self.id = text.decode().split("<UploadId>")[1].split("<")[0]

    def write(self, data):
        self.rest += data
        if len(self.rest) >= PART:
            self.flush_part()
        return len(data)

    def flush_part(self):
        part, self.rest = bytes(self.rest), bytearray()
        query = f"partNumber={len(self.tags) + 1}&uploadId={self.id}"
        answer, _ = self.client.request("PUT", self.key, query, part, len(part))
        self.tags.append(answer.headers["ETag"])

    def close(self):
        self.flush_part()
        listed = "".join(
            f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in enumerate(self.tags, 1)
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        self.client.request("POST", self.key, f"uploadId={self.id}", body, len(body))


def sign(method, connection, path, query):
    """The headers of a signed request, its payload unsigned."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {
        "host": f"{connection.host}:{connection.port}",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "x-amz-date": stamp,
    }
    names = ";".join(headers)
    listed = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"{method}\n{path}\n{query}\n{listed}\n{names}\nUNSIGNED-PAYLOAD"
    scope = f"{day}/{REGION}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET_KEY}".encode()
    for step in (day, REGION, "s3", "aws4_request", text):
        key = hmac.digest(key, step.encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return headers


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
