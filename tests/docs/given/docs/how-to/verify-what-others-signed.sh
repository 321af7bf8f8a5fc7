# An artifact, and what somebody else's tools say of it: provenance, and an SBOM that openssl signed.
needs openssl python3
echo app > app.tar.gz
argo-attest keygen --out-dir theirs
cp theirs/attest.pub their.pub
argo-attest run --key theirs/attest.key --builder-id https://ci.example.org/theirs \
    --outputs app.tar.gz -- touch app.tar.gz
mv app.tar.gz.sigstore.json their-download.json
rm app.tar.gz.intoto.jsonl
python3 - <<'EOT'
import base64, hashlib, json, subprocess
digest = hashlib.sha256(open("app.tar.gz", "rb").read()).hexdigest()
body = json.dumps({
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "app.tar.gz", "digest": {"sha256": digest}}],
    "predicateType": "https://spdx.dev/Document",
    "predicate": {"spdxVersion": "SPDX-2.3"},
}).encode()
kind = "application/vnd.in-toto+json"
open("pae", "wb").write(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body))
sign = ["openssl", "pkeyutl", "-sign", "-inkey", "theirs/attest.key", "-rawin", "-in", "pae"]
signature = subprocess.run(sign, check=True, capture_output=True).stdout
text = lambda data: base64.b64encode(data).decode()
envelope = {"payload": text(body), "payloadType": kind, "signatures": [{"sig": text(signature)}]}
json.dump(envelope, open("sbom.intoto.jsonl", "w"))
EOT
rm pae
# What GitHub signed without a key, and Sigstore's public root.
cp "$ROOT"/tests/fixtures/sigstore/conformance/a.txt .
cp "$ROOT"/tests/fixtures/sigstore/conformance/happy-path-intoto-in-dsse-v3/bundle.sigstore.json a.txt.json
cp "$ROOT"/tests/fixtures/sigstore/trusted_root.json public.json
