# A gateway to a POSIX file system; what the tests of the store use, too.
version=1.8.0

install() {
    need go
    ARGO_ATTEST_TOOLS="$cache" "$here/../interop/install" versitygw >&2
}

serve() {
    mkdir "$2/data" "$2/versions"
    ROOT_ACCESS_KEY="$ACCESS_KEY" ROOT_SECRET_KEY="$SECRET_KEY" \
        exec "$("$here/../interop/install" --where versitygw)" \
        --port "127.0.0.1:$3" posix --versioning-dir "$2/versions" "$2/data"
}
