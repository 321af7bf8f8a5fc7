# An artifact that was fetched, and its attestation in the store that the sidecar was told.
needs aws
store attestations
argo-attest keygen --out-dir keys
cp keys/attest.pub .
argo-attest run --key keys/attest.key --builder-id https://ci.example.com/argo \
    --outputs app.tgz -- sh -c 'echo app > app.tgz'
mkdir -p "$BUCKETS/attestations/prod/ci/gcs/builds/x7k2"
mv app.tgz.sigstore.json "$BUCKETS/attestations/prod/ci/gcs/builds/x7k2/"
rm app.tgz.intoto.jsonl
