# A project whose Makefile builds dist and app.tgz, the secret that the CI system hands over, and an
# account on the machine that has the key as a file.
needs aws make
store releases
argo-attest keygen --out-dir made
mkdir secrets
cp made/attest.key secrets/
cp made/attest.pub attest.pub
SIGNING_KEY=$(cat made/attest.key)
export SIGNING_KEY
cat > Makefile <<'EOT'
dist: ; mkdir dist && echo built > dist/app
app.tgz: dist ; tar -czf app.tgz dist
EOT
