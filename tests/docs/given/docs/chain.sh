# The objects and their statements are made by steps.rs, and so are the public keys.
needs aws
store
cat > policy.yaml <<'EOT'
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
keys:
  - {name: ci-2026, file: ci-2026.pub}
  - {name: imports, file: imports.pub}
builders:
  - {id: "https://ci.example.com/argo", keys: [ci-2026]}
  - {id: "https://ci.example.com/imports", keys: [imports]}
EOT
