# An object and an image with a bill of materials, under the names that a step leaves: signed by
# cosign, as whose the sidecar's are read. Names lead to a registry by way of a proxy that is the
# registry itself.
needs cosign registries jq
store artifacts
coproc SERVER { exec registries fallback 2>/dev/null; }
read -r address <&"${SERVER[0]}"
export HTTP_PROXY=http://$address NO_PROXY=127.0.0.1 ARGO_ATTEST_PLAIN_HTTP=true COSIGN_PASSWORD=
registries push registry.example.com/app:1.2 1 >/dev/null
cosign generate-key-pair 2>/dev/null
mv cosign.pub attest.pub
echo app > app
echo '{"bomFormat": "CycloneDX", "specVersion": "1.6"}' > sbom.json
signed() { command cosign "$@" --key cosign.key --type cyclonedx --predicate sbom.json --yes --tlog-upload=false \
    --use-signing-config=false 2>/dev/null; }
signed attest --allow-http-registry registry.example.com/app:1.2
signed attest-blob --bundle app.predicate-cyclonedx.sigstore.json app >/dev/null
mkdir "$BUCKETS/artifacts/build-7"
cp app app.predicate-cyclonedx.sigstore.json "$BUCKETS/artifacts/build-7"
cosign() { if test "$1" = verify-attestation; then set -- "$@" --allow-http-registry; fi; command cosign "$@"; }
