# A directory of more files than a statement has subjects, with links; a smaller one; files that keys
# of both kinds signed for.
needs cosign jq openssl python3 ssh-keygen
for type in ed25519 ecdsa-p256; do
    argo-attest keygen --type $type --out-dir keys/$type
done
cp keys/ed25519/attest.pub ed25519.pub
cp keys/ecdsa-p256/attest.pub p256.pub
script='mkdir -p out/bin out/lib dist; echo tool > out/bin/tool-1.2; echo big > dist/big; echo app > app.tgz
    ln -s tool-1.2 out/bin/latest; ln -s ../bin/tool-1.2 out/lib/so
    for i in $(seq 1100); do echo $i > out/$i; done'
argo-attest run --key keys/ed25519/attest.key --outputs out --outputs dist --outputs app.tgz -- sh -c "$script"
argo-attest run --key keys/ecdsa-p256/attest.key --outputs other.tgz -- sh -c 'echo other > other.tgz'
