// Package interop tests Kouzui against other people's programs: Kouzui
// downloads from and seeds to each client of package counterpart, announces to
// each tracker, and is part of a swarm of all clients.
//
// All tests run on the loopback, TestDHT and TestPortMapping in networks of
// their own, and all data is compared by SHA-256:
//
//	TestDownload     kouzui downloads from each client
//	TestSeed         kouzui seeds to each client
//	TestEncryption   both, by policies of encryption
//	TestMagnet       the same by magnet links, with libtorrent, aria2, transmission
//	TestWebSeed      kouzui downloads from a web server alone
//	TestTracker      kouzui and others find each other through each tracker
//	TestDHT          the same by the DHT alone, and a swarm of all; as root
//	TestPortMapping  miniupnpd lets peers connect to kouzui behind it; as root
//	TestSwarm        three kouzui, each with a third of the pieces, and every client
//
// The first two use these torrents: a single file; a folder with an empty file,
// files that share a piece, and names beyond ASCII; pieces whose length is no
// multiple of a block. The sides dial in turn.
//
// Tests of a counterpart that is not installed are skipped, unless
// KOUZUI_INTEROP is "must". `make test` installs the counterparts and sets it.
// This runs one test:
//
//	go test ./cmd/interop -count=1 -v -run 'TestSeed/aria2/folder'
//
// With -v, a table of all runs is printed at the end.
package interop
