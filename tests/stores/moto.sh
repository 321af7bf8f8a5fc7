# AWS's services played in memory: it checks neither signatures nor checksums.
version=5.2.5

install() { pinned "$1" -r "$here/moto.txt"; }

serve() { PYTHONPATH="$1/site" exec python3 -m moto.server -H 127.0.0.1 -p "$3"; }
