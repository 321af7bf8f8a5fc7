# What `make release` makes; here the binary that is tested.
mkdir dist
cp "$(command -v argo-attest)" dist/
