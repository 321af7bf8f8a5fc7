# Programs that make keys, a place for tokens, a server of OpenBao's, which its own client and Vault's variables lead to, and
# a workflow.
needs cosign openssl bao softhsm2-util
# Keys in tokens are not in every build.
case "$(argo-attest public-key --key pkcs11:object=x 2>&1)" in
*"this build has no PKCS#11"*) echo "a build with --features pkcs11" >&2; exit 77 ;;
esac
mkdir tokens
printf 'directories.tokendir = %s\nobjectstore.backend = file\n' "$PWD/tokens" > softhsm2.conf
export SOFTHSM2_CONF=$PWD/softhsm2.conf
export VAULT_TOKEN=root-token-of-a-page
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
coproc SERVER { exec timeout 150 bao server -dev -dev-no-store-token -dev-root-token-id=$VAULT_TOKEN \
    -dev-listen-address=127.0.0.1:"$port" >/dev/null 2>&1; }
trap 'kill "$SERVER_PID"' EXIT
export VAULT_ADDR=http://127.0.0.1:$port
for _ in $(seq 300); do bao secrets list >/dev/null 2>&1 && break; sleep 0.1; done
cat > hello.yaml <<'EOT'
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: hello-
spec:
  entrypoint: build
  templates:
  - name: build
    metadata:
      annotations: {argo-attest.io/attest: "true"}
    container: {image: alpine, command: [sh, -c], args: ["echo hi > /tmp/out"]}
    outputs:
      artifacts: [{name: out, path: /tmp/out}]
EOT
