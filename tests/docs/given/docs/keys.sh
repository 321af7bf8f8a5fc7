# A pair in a CI system's variables, the private one also as a file, and a project.
argo-attest keygen --out-dir made
mv made/attest.key .
SIGNING_KEY=$(cat attest.key) SIGNING_PUB=$(cat made/attest.pub)
export SIGNING_KEY SIGNING_PUB
printf 'out: ; mkdir out && echo built > out/app\n' > Makefile
