# An artifact whose signature is in a log, and was seen by a timestamp authority.
cp "$ROOT"/tests/fixtures/sigstore/own/{app.bin,key.pub,trusted_root.json} .
cp "$ROOT"/tests/fixtures/sigstore/own/all.sigstore.json app.bin.sigstore.json
cat > policy.yaml <<'EOT'
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
trustedRoot: trusted_root.json
keys:
  - {name: ci, file: key.pub, notAfter: 2026-06-30T00:00:00Z}
builders:
  - {id: "https://ci.example.com/argo", keys: [ci]}
expect:
  log: required
  time: required
EOT
