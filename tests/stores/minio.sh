# The last of the community edition's sources.
version=2026-02-12

install() {
    need go
    # The local toolchain only: another one would be fetched without a word.
    CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOBIN="$1" \
        go install -trimpath -ldflags='-s -w' github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
}

serve() {
    MINIO_ROOT_USER="$ACCESS_KEY" MINIO_ROOT_PASSWORD="$SECRET_KEY" MINIO_BROWSER=off MINIO_UPDATE=off \
        exec "$1/minio" server --quiet --address "127.0.0.1:$3" "$2"
}
