// Command verify holds an attestation of argo-attest against sigstore-go, the library
// that cosign is made of: offline, with a public key, without transparency logs.
//
//	verify PUB BUNDLE ARTIFACT
//	verify PUB BUNDLE --digest ALG:HEX
//
// It prints the predicate's type and exits with 0, or says why not and exits with 1.
package main

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// timeless is a key that is valid whenever it is asked for.
type timeless struct{ signature.Verifier }

func (timeless) ValidAtTime(time.Time) bool { return true }

func main() {
	predicateType, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println("accepted:", predicateType)
}

func run(args []string) (string, error) {
	if len(args) < 3 {
		return "", errors.New("usage: verify PUB BUNDLE (ARTIFACT | --digest ALG:HEX)")
	}
	pem, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return "", err
	}
	// For Ed25519 this is the pure variant, as cosign loads it.
	key, err := signature.LoadVerifier(public, crypto.SHA256)
	if err != nil {
		return "", err
	}
	attestation, err := bundle.LoadJSONFromPath(args[1])
	if err != nil {
		return "", err
	}
	artifact, done, err := artifactOption(args[2:])
	if err != nil {
		return "", err
	}
	defer done()
	trusted := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return timeless{key}, nil
	})
	verifier, err := verify.NewVerifier(trusted, verify.WithNoObserverTimestamps())
	if err != nil {
		return "", err
	}
	result, err := verifier.Verify(attestation, verify.NewPolicy(artifact, verify.WithKey()))
	if err != nil {
		return "", err
	}
	return result.Statement.GetPredicateType(), nil
}

func artifactOption(args []string) (verify.ArtifactPolicyOption, func(), error) {
	if args[0] != "--digest" {
		file, err := os.Open(args[0])
		if err != nil {
			return nil, nil, err
		}
		return verify.WithArtifact(file), func() { _ = file.Close() }, nil
	}
	if len(args) != 2 {
		return nil, nil, errors.New("--digest wants ALG:HEX")
	}
	algorithm, text, _ := strings.Cut(args[1], ":")
	digest, err := hex.DecodeString(text)
	if err != nil {
		return nil, nil, err
	}
	return verify.WithArtifactDigest(algorithm, digest), func() {}, nil
}
