# An image that is attested, with the key of that; and a policy. Names lead to a registry by way of a
# proxy that is the registry itself, without TLS.
needs cosign registries
coproc SERVER { exec registries fallback 2>/dev/null; }
read -r address <&"${SERVER[0]}"
export HTTP_PROXY=http://$address ARGO_ATTEST_PLAIN_HTTP=true
registries push registry.example.com/app:1.2 1 >/dev/null
argo-attest keygen --out-dir . >/dev/null
argo-attest attest --key attest.key --builder-id https://ci.example.com/argo oci://registry.example.com/app:1.2 >/dev/null
cat > policy.yaml <<'EOT'
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
keys: [{name: ci, file: attest.pub}]
builders: [{id: "https://ci.example.com/argo", keys: [ci]}]
EOT
cosign() { command cosign "$@" --allow-http-registry; }
