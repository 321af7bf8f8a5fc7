# A bucket in which one artifact was replaced and one was never attested.
needs aws jq
store
argo-attest keygen --out-dir . --quiet 2>/dev/null
cat > policy.yaml <<'EOT'
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
keys:
  - {name: ci, file: attest.pub}
builders:
  - {id: "https://ci.example.com/imports", keys: [ci]}
EOT
for name in app.tgz lib.tgz notes.txt; do
    echo "$name" | aws s3 cp --only-show-errors - "s3://artifacts/release/$name"
done
for name in app.tgz lib.tgz; do
    argo-attest attest --quiet --key attest.key --builder-id https://ci.example.com/imports "s3://artifacts/release/$name"
done
echo other | aws s3 cp --only-show-errors - s3://artifacts/release/lib.tgz
