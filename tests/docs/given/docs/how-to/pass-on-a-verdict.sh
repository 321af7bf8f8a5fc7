# A release in a bucket, made by steps.rs, and its public key; the artifact, as somebody fetched it.
needs aws slsa-verifier
store
cp ci-2026.pub attest.pub
aws s3 cp --quiet s3://artifacts/release/app.tgz app.tgz
