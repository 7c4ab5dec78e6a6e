package kouzui_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"

	"kouzui"
)

// This downloads a torrent from a peer whose address is known. With trackers in
// the .torrent, Peers is not needed.
func Example() {
	ctx := context.Background()
	peer, torrentFile, done := friend(ctx)
	defer done()

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	client, err := kouzui.Open(kouzui.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	torrent, err := client.AddFile(torrentFile, kouzui.Options{Peers: []netip.AddrPort{peer}})
	if err != nil {
		log.Fatal(err)
	}
	if err := torrent.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(torrent.Name(), "is complete")
	// Output: greeting.txt is complete
}

// This seeds what is there, until it is told to stop.
func ExampleOptions() {
	ctx := context.Background()
	dir, torrentFile := greeting()
	defer os.RemoveAll(dir)

	client, err := kouzui.Open(kouzui.Config{Dir: dir, Listen: "127.0.0.1:0", UploadLimit: 1 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	torrent, err := client.AddFile(torrentFile, kouzui.Options{Seed: true, MustExist: true})
	if err != nil {
		log.Fatal(err)
	}
	if err := torrent.WaitComplete(ctx); err != nil {
		log.Fatal(err)
	}
	status, err := torrent.Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.State, status.Have, "bytes")
	if err := torrent.Stop(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: seeding 14 bytes
}

// This watches a download.
func ExampleTorrent_Events() {
	ctx := context.Background()
	peer, torrentFile, done := friend(ctx)
	defer done()

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	client, err := kouzui.Open(kouzui.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	torrent, err := client.AddFile(torrentFile, kouzui.Options{Peers: []netip.AddrPort{peer}})
	if err != nil {
		log.Fatal(err)
	}
	for event := range torrent.Events(ctx) {
		switch e := event.(type) {
		case kouzui.PiecesVerified:
			fmt.Println("pieces:", e.Pieces)
		case kouzui.Completed:
			fmt.Println("complete:", e.Status.Have, "bytes")
		case kouzui.Ended:
			fmt.Println("ended:", e.Err)
		}
	}
	// Output:
	// pieces: [0]
	// complete: 14 bytes
	// ended: <nil>
}

// This shows the actors of a client that has nothing to do.
func ExampleClient_Tree() {
	ctx := context.Background()
	client, err := kouzui.Open(kouzui.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	if _, err := client.Addr(ctx); err != nil {
		log.Fatal(err)
	}
	for _, actor := range client.Tree().Snapshot() {
		fmt.Println(actor.Path, actor.State)
	}
	// Output:
	// client running
	// client/limiter running
	// client/listener running
	// client/session running
	// client/socket-4 running
	// client/torrents running
}
