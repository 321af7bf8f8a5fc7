# A policy whose twelfth line expects nothing.
echo app > app.tgz
argo-attest keygen --out-dir keys
cp keys/attest.pub ci.pub
cat > policy.yaml <<'EOT'
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
keys:
  - name: ci
    file: ci.pub
builders:
  - id: https://ci.example.com/argo
    keys: [ci]
expect:
  maxAge: 720h
  workflow:
    namespace: ""
EOT
