# A release in a bucket, made by steps.rs, and the public key.
needs aws cosign
store
cp ci-2026.pub attest.pub
