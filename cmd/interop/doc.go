// Package interop holds the tests of Kouzui against other people's programs: it
// downloads from and seeds to each client of package counterpart, announces to
// each tracker, and takes its part in a swarm of them all.
//
// What runs, all on the loopback and all compared by SHA-256:
//
//	TestDownload  kouzui downloads from each client
//	TestSeed      kouzui seeds to each client
//	TestTracker   kouzui and others find each other through each tracker
//	TestSwarm     three kouzui, each with a third of the pieces, and every client
//
// The torrents of the first two: a single file; a folder with an empty file,
// files that share a piece and names beyond ASCII; pieces whose length no block
// divides. Which side dials alternates.
//
// A counterpart that is not installed is skipped, unless KOUZUI_INTEROP is
// "must", as `make test` has it: that also installs them. One run:
//
//	go test ./cmd/interop -count=1 -v -run 'TestSeed/aria2/folder'
//
// With -v, a table of all runs stands at the end.
package interop
