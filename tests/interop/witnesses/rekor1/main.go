// Command rekor1 is the server of Rekor 1 as it is released, over a Merkle tree that lies in memory
// and not in a database: Trillian's own log server and sequencer, in the same process.
//
// Its arguments are the server's.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/client"
	"github.com/google/trillian/extension"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/storage/memory"
	"github.com/google/trillian/testonly/integration"
	"github.com/sigstore/rekor/cmd/rekor-server/app"
	"google.golang.org/protobuf/types/known/durationpb"
)

func main() {
	tree, err := tree(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "rekor1:", err)
		os.Exit(1)
	}
	os.Args = append(os.Args, tree...)
	app.Execute()
}

// tree starts a log of one tree, and says how Rekor finds it.
func tree(ctx context.Context) ([]string, error) {
	storage := memory.NewTreeStorage()
	registry := extension.Registry{
		AdminStorage: memory.NewAdminStorage(storage),
		LogStorage:   memory.NewLogStorage(storage, nil),
		QuotaManager: quota.Noop(),
	}
	integration.SequencerInterval = 50 * time.Millisecond
	log, err := integration.NewLogEnvWithRegistry(ctx, 1, registry)
	if err != nil {
		return nil, err
	}
	wanted := &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_LOG,
		MaxRootDuration: durationpb.New(time.Hour),
	}
	made, err := client.CreateAndInitTree(ctx, &trillian.CreateTreeRequest{Tree: wanted}, log.Admin, log.Log)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(log.Address)
	if err != nil {
		return nil, err
	}
	return []string{
		"--trillian_log_server.address=127.0.0.1",
		"--trillian_log_server.port=" + port,
		"--trillian_log_server.tlog_id=" + strconv.FormatInt(made.TreeId, 10),
		"--enable_retrieve_api=false",
	}, nil
}
