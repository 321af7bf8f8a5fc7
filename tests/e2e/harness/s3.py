"""A small S3 client: Signature Version 4 over plain HTTP(S), path style.

The suite must read and write the store without trusting the code under test,
and without anything that has to be installed.
"""

import datetime
import hashlib
import hmac
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

EMPTY = hashlib.sha256(b"").hexdigest()
TIMEOUT_SECONDS = 15


class S3Error(Exception):
    """What the server said, with its status."""

    def __init__(self, status, method, key, body):
        super().__init__(f"{method} {key}: {status} {body[:300]!r}")
        self.status = status


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class S3:
    """One bucket of one server."""

    def __init__(self, endpoint, bucket, access_key, secret_key, region="us-east-1"):
        self.endpoint = endpoint.rstrip("/")
        self.bucket = bucket
        self.access_key = access_key
        self.secret_key = secret_key
        self.region = region

    def uri(self, key):
        return f"s3://{self.bucket}/{key}"

    def get(self, key):
        return self._call("GET", key)[1]

    def head(self, key):
        """The headers, in lower case, the full-object checksums among them."""
        return self._call("HEAD", key, headers={"x-amz-checksum-mode": "ENABLED"})[0]

    def put(self, key, body):
        self._call("PUT", key, body=body)

    def delete(self, key):
        self._call("DELETE", key)

    def exists(self, key):
        try:
            self.head(key)
        except S3Error as error:
            if error.status == 404:
                return False
            raise
        return True

    def list(self, prefix):
        """Every key below the prefix."""
        keys, token = [], None
        while True:
            query = {"list-type": "2", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            tree = ElementTree.fromstring(self._call("GET", "", query=query)[1])
            for element in tree.iter():
                if element.tag.rpartition("}")[2] == "Key":
                    keys.append(element.text)
            token = next(
                (e.text for e in tree.iter() if e.tag.endswith("NextContinuationToken")), None
            )
            if not token:
                return sorted(keys)

    def _call(self, method, key, query=None, body=b"", headers=None):
        path = "/" + self.bucket + ("/" + urllib.parse.quote(key, safe="/-_.~") if key else "")
        search = "&".join(
            f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}"
            for name, value in sorted((query or {}).items())
        )
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest() if body else EMPTY
        signed = {
            "host": urllib.parse.urlsplit(self.endpoint).netloc,
            "x-amz-content-sha256": digest,
            "x-amz-date": now,
            **(headers or {}),
        }
        names = ";".join(sorted(signed))
        canonical = "\n".join(
            [method, path, search]
            + [f"{name}:{signed[name]}" for name in sorted(signed)]
            + ["", names, digest]
        )
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(
            ["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()]
        )
        secret = ("AWS4" + self.secret_key).encode()
        for part in (now[:8], self.region, "s3", "aws4_request"):
            secret = _hmac(secret, part)
        signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        del signed["host"]
        request = urllib.request.Request(
            self.endpoint + path + ("?" + search if search else ""),
            method=method,
            data=body if method == "PUT" else None,
            headers=signed,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:
                return {k.lower(): v for k, v in reply.headers.items()}, reply.read()
        except urllib.error.HTTPError as error:
            raise S3Error(error.code, method, key, error.read()) from None
