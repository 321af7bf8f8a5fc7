# Programs that make keys.
needs cosign openssl
