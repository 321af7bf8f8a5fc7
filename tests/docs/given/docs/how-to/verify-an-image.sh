# An image in a registry, which cosign attested. Names lead there by way of a proxy that is the
# registry itself.
needs cosign registries
coproc SERVER { exec registries fallback 2>/dev/null; }
read -r address <&"${SERVER[0]}"
export HTTP_PROXY=http://$address ARGO_ATTEST_PLAIN_HTTP=true COSIGN_PASSWORD=
registries push registry.example.com/app:1.2 1 >/dev/null
cosign generate-key-pair 2>/dev/null
mv cosign.pub ci.pub
cat > predicate.json <<'EOT'
{"buildDefinition": {"buildType": "https://ci.example.com/types/image", "externalParameters": {"a": 1}},
 "runDetails": {"builder": {"id": "https://ci.example.com/images"}}}
EOT
cosign attest --key cosign.key --type slsaprovenance1 --predicate predicate.json --yes --allow-http-registry \
    --use-signing-config=false --tlog-upload=false registry.example.com/app:1.2 2>/dev/null
# A key, a project whose Makefile builds an image layout, and crane.
argo-attest keygen --out-dir keys >/dev/null 2>&1
printf 'img: ; registries layout write img 7 >/dev/null\n' > Makefile
crane() { registries layout push "$2" "$3" | sed "s|^|$3@|"; }
