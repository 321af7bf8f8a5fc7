// Command verify holds an attestation that others vouch for against sigstore-go, the library that
// cosign is made of: offline, with a public key and a trusted root.
//
//	verify PUB BUNDLE ARTIFACT TRUSTED_ROOT LOGS TIMES
//
// In place of a key's file, "identity:ISSUER IDENTITY" stands for a certificate that has to be for that.
//
// So many logs have to hold it, and so many timestamp authorities to have seen it. It prints the
// predicate's type and exits with 0, or says why not and exits with 1.
package main

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"strconv"
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
	if len(args) != 6 {
		return "", errors.New("usage: verify PUB BUNDLE ARTIFACT TRUSTED_ROOT LOGS TIMES")
	}
	by, own, err := signer(args[0])
	if err != nil {
		return "", err
	}
	attestation, err := bundle.LoadJSONFromPath(args[1])
	if err != nil {
		return "", err
	}
	artifact, err := os.Open(args[2])
	if err != nil {
		return "", err
	}
	defer artifact.Close()
	others, err := root.NewTrustedRootFromPath(args[3])
	if err != nil {
		return "", err
	}
	logs, err := strconv.Atoi(args[4])
	if err != nil {
		return "", err
	}
	times, err := strconv.Atoi(args[5])
	if err != nil {
		return "", err
	}
	options := []verify.VerifierOption{verify.WithNoObserverTimestamps()}
	if times > 0 {
		options = []verify.VerifierOption{verify.WithSignedTimestamps(times)}
	}
	if logs > 0 {
		options = append(options, verify.WithTransparencyLog(logs))
	}
	verifier, err := verify.NewVerifier(append(own, others), options...)
	if err != nil {
		return "", err
	}
	result, err := verifier.Verify(attestation, verify.NewPolicy(verify.WithArtifact(artifact), by))
	if err != nil {
		return "", err
	}
	return result.Statement.GetPredicateType(), nil
}

// signer is who has to have signed, and what that is known by beside the trusted root.
func signer(given string) (verify.PolicyOption, root.TrustedMaterialCollection, error) {
	if pair, is := strings.CutPrefix(given, "identity:"); is {
		issuer, name, _ := strings.Cut(pair, " ")
		identity, err := verify.NewShortCertificateIdentity(issuer, "", name, "")
		return verify.WithCertificateIdentity(identity), nil, err
	}
	pem, err := os.ReadFile(given)
	if err != nil {
		return nil, nil, err
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
	if err != nil {
		return nil, nil, err
	}
	// For Ed25519 this is the pure variant, as cosign loads it.
	key, err := signature.LoadVerifier(public, crypto.SHA256)
	own := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return timeless{key}, nil
	})
	return verify.WithKey(), root.TrustedMaterialCollection{own}, err
}
