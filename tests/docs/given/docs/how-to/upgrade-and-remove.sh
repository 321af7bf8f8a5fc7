# A workflow that an older version's options were put into.
cp "$ROOT/tests/cli/inject.in/workflow.yaml" .
argo-attest inject -f workflow.yaml --image registry.example.com/argo-attest:0.0.9 \
    --builder-id https://ci.example.com/argo --store-secret s3-credentials > attested.yaml
