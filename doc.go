// Package kouzui is a BitTorrent client to be built into other programs. This
// one downloads a torrent, and says how far it is:
//
//	c, err := kouzui.Open(kouzui.Config{Dir: "downloads"})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer c.Close(context.Background())
//	download, err := c.AddFile("debian.torrent", kouzui.Options{})
//	if err != nil {
//		log.Fatal(err)
//	}
//	for event := range download.Events(ctx) {
//		if p, is := event.(kouzui.Progress); is {
//			fmt.Printf("%d of %d bytes\n", p.Status.Have, p.Status.Length)
//		}
//	}
//	if err := download.Wait(ctx); err != nil {
//		log.Fatal(err)
//	}
//
// A Client listens for peers, keeps the limits of the process and runs
// torrents. A Torrent downloads, and with Options.Seed seeds, until it has
// reached its end: its last event is Ended, and Wait returns. An interrupted
// torrent that is added again goes on where it was.
//
// Inside, every job is an actor in a supervision tree that restarts what fails:
// see package actors. Tree shows it, Config.Trace records it, Config.Faults
// breaks it on purpose.
//
// All methods may be called from any goroutine at any time, also on a Client
// that is closed and a Torrent that has ended: then they return ErrClosed and
// ErrEnded. None of them panics. A nil context is one that never ends.
//
// Nothing is looked up or contacted but the trackers and peers of the torrents
// that were added, peers that these tell of (see Options.NoPEX), and nodes of
// the DHT if there is a Config.DHT. There is no local discovery.
package kouzui
