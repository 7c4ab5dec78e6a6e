// Command library downloads a torrent with package kouzui, as any program may that
// imports it:
//
//	library FILE.torrent FOLDER HOST:PORT
//
// The last argument is a peer. TestAStrangerBuildsAProgram builds and runs it in a
// module of its own.
package main

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"

	"kouzui"
)

func main() {
	if err := download(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func download(ctx context.Context, path, dir, peer string) error {
	addr, err := netip.ParseAddrPort(peer)
	if err != nil {
		return err
	}
	client, err := kouzui.Open(kouzui.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	torrent, err := client.AddFile(path, kouzui.Options{Peers: []netip.AddrPort{addr}})
	if err != nil {
		return err
	}
	if err := torrent.Wait(ctx); err != nil {
		return err
	}
	fmt.Println(torrent.Name(), "is complete")
	return nil
}
