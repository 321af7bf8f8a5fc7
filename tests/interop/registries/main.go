// Two real registries on loopback, and images to put there.
//
//	registries native [HOST]     go-containerregistry's, which lists referrers
//	registries fallback [HOST]   distribution's, which does not; both on loopback, or another host
//	registries push REFERENCE [SEED]
//	                             an index of two small images; prints its digest and theirs
//	registries copy FROM TO      what is at FROM, by another name
//	registries layout ...        images as files: see layouts.go
//
// A registry prints its address and serves, in memory, until standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/sirupsen/logrus"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	switch {
	case (len(args) == 1 || len(args) == 2) && args[0] == "native":
		quiet := registry.Logger(log.New(io.Discard, "", 0))
		return serve(args[1:], registry.New(registry.WithReferrersSupport(true), quiet))
	case (len(args) == 1 || len(args) == 2) && args[0] == "fallback":
		logrus.SetOutput(io.Discard)
		config := &configuration.Configuration{
			Storage: configuration.Storage{"inmemory": configuration.Parameters{}},
		}
		config.Log.Level = "panic"
		return serve(args[1:], handlers.NewApp(context.Background(), config))
	case len(args) == 2 && args[0] == "push":
		return push(args[1], time.Now().UnixNano())
	case len(args) == 3 && args[0] == "push":
		seed, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return err
		}
		return push(args[1], seed)
	case len(args) == 3 && args[0] == "copy":
		return crane.Copy(args[1], args[2], crane.Insecure)
	case len(args) == 4 && args[0] == "layout":
		return layouts(args[1], args[2], args[3])
	}
	return fmt.Errorf("usage: registries native | fallback | push REFERENCE [SEED] | copy FROM TO | layout ...")
}

func serve(host []string, handler http.Handler) error {
	address := "127.0.0.1"
	if len(host) > 0 {
		address = host[0]
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, handler)
}

func push(reference string, seed int64) error {
	to, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		return err
	}
	index, images, err := made(seed)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(to, index); err != nil {
		return err
	}
	return tell(index, images)
}

// An index of two images, and their digests.
func made(seed int64) (v1.ImageIndex, []v1.Hash, error) {
	source := rand.NewSource(seed)
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var images []v1.Hash
	for _, architecture := range []string{"amd64", "arm64"} {
		image, err := random.Image(512, 2, random.WithSource(source))
		if err != nil {
			return nil, nil, err
		}
		image = mutate.MediaType(image, types.OCIManifestSchema1)
		digest, err := image.Digest()
		if err != nil {
			return nil, nil, err
		}
		images = append(images, digest)
		platform := &v1.Platform{OS: "linux", Architecture: architecture}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return index, images, nil
}

func tell(index v1.ImageIndex, images []v1.Hash) error {
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Println(digest)
	for _, image := range images {
		fmt.Println(image)
	}
	return nil
}
