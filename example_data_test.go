package kouzui_test

import (
	"context"
	"crypto/sha1"
	"log"
	"net/netip"
	"os"
	"path/filepath"

	"kouzui"
	"kouzui/wire/metainfo"
)

// greeting makes a folder with a file, and a .torrent of it.
func greeting() (dir, torrentFile string) {
	data := []byte("Hello, peers!\n")
	sum := sha1.Sum(data)
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: "greeting.txt", Single: true, PieceLength: 16 << 10, Pieces: sum[:],
		Files: []metainfo.FileSpec{{Path: []string{"greeting.txt"}, Length: int64(len(data))}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if dir, err = os.MkdirTemp("", ""); err != nil {
		log.Fatal(err)
	}
	torrentFile = filepath.Join(dir, "greeting.torrent")
	for path, content := range map[string][]byte{filepath.Join(dir, "greeting.txt"): data, torrentFile: raw} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
	return dir, torrentFile
}

// friend is a peer that seeds the greeting.
func friend(ctx context.Context) (addr netip.AddrPort, torrentFile string, done func()) {
	dir, torrentFile := greeting()
	client, err := kouzui.Open(kouzui.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	torrent, err := client.AddFile(torrentFile, kouzui.Options{Seed: true, MustExist: true})
	if err != nil {
		log.Fatal(err)
	}
	if err := torrent.WaitComplete(ctx); err != nil {
		log.Fatal(err)
	}
	if addr, err = client.Addr(ctx); err != nil {
		log.Fatal(err)
	}
	return addr, torrentFile, func() {
		if err := client.Close(ctx); err != nil {
			log.Fatal(err)
		}
		os.RemoveAll(dir)
	}
}
