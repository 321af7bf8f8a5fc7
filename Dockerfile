# The image: one static binary and the public CA roots, nothing else. `make image`
# puts both into the build's context; nothing is pulled.
FROM scratch
LABEL org.opencontainers.image.title="argo-attest" \
      org.opencontainers.image.description="Signed SLSA provenance for every step of an Argo workflow" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/argo-attest/argo-attest"
ARG VERSION
LABEL org.opencontainers.image.version="${VERSION}"
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY argo-attest /argo-attest
# A number, or `runAsNonRoot` could not tell.
USER 65532:65532
ENTRYPOINT ["/argo-attest"]
