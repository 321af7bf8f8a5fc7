// Images as files, as go-containerregistry, and so crane and kaniko, write and push them.
//
//	registries layout write DIRECTORY SEED
//	                             the index that push makes of this seed, in a new image layout;
//	                             prints its digest and those of its images
//	registries layout add DIRECTORY SEED
//	                             another one, in the layout that is there
//	registries layout tarball FILE SEED
//	                             one image as `docker load` reads it; prints the digest of its
//	                             configuration
//	registries layout push DIRECTORY REFERENCE
//	registries layout push-tarball FILE REFERENCE
//	                             what lies there; prints the digest that it has in the registry
package main

import (
	"fmt"
	"math/rand"
	"strconv"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func layouts(what, place, argument string) error {
	switch what {
	case "push":
		return pushLayout(place, argument)
	case "push-tarball":
		return pushTarball(place, argument)
	}
	seed, err := strconv.ParseInt(argument, 10, 64)
	if err != nil {
		return err
	}
	switch what {
	case "write":
		if _, err := layout.Write(place, empty.Index); err != nil {
			return err
		}
		return add(place, seed)
	case "add":
		return add(place, seed)
	case "tarball":
		return writeTarball(place, seed)
	}
	return fmt.Errorf("usage: registries layout write | add | tarball | push | push-tarball PLACE SEED|REFERENCE")
}

func add(directory string, seed int64) error {
	index, images, err := made(seed)
	if err != nil {
		return err
	}
	path, err := layout.FromPath(directory)
	if err != nil {
		return err
	}
	if err := path.AppendIndex(index); err != nil {
		return err
	}
	return tell(index, images)
}

func writeTarball(file string, seed int64) error {
	image, err := random.Image(512, 2, random.WithSource(rand.NewSource(seed)))
	if err != nil {
		return err
	}
	tag, err := name.NewTag("registry.example/app:1.2")
	if err != nil {
		return err
	}
	if err := tarball.WriteToFile(file, tag, image); err != nil {
		return err
	}
	config, err := image.ConfigName()
	if err != nil {
		return err
	}
	fmt.Println(config)
	return nil
}

// The one index that the directory's index.json lists.
func pushLayout(directory, reference string) error {
	to, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		return err
	}
	all, err := layout.ImageIndexFromPath(directory)
	if err != nil {
		return err
	}
	listed, err := all.IndexManifest()
	if err != nil {
		return err
	}
	if len(listed.Manifests) != 1 {
		return fmt.Errorf("%s lists %d images", directory, len(listed.Manifests))
	}
	index, err := all.ImageIndex(listed.Manifests[0].Digest)
	if err != nil {
		return err
	}
	fmt.Println(listed.Manifests[0].Digest)
	return remote.WriteIndex(to, index)
}

func pushTarball(file, reference string) error {
	to, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return remote.Write(to, image)
}
