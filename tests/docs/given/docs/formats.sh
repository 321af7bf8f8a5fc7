# A directory with links and one file that is large, attested with an Ed25519 key; keys of both kinds.
needs cosign jq openssl python3 ssh-keygen
argo-attest keygen --out-dir keys
cp keys/attest.pub ed25519.pub
argo-attest keygen --type ecdsa-p256 --out-dir p256
cp p256/attest.pub p256.pub
script='mkdir -p out/bin out/lib; echo tool > out/bin/tool-1.2; echo big > out/big
    ln -s tool-1.2 out/bin/latest; ln -s ../bin/tool-1.2 out/lib/so
    for i in $(seq 1100); do echo $i > out/$i; done'
argo-attest run --key keys/attest.key --outputs out --outputs out -- sh -c "$script"
