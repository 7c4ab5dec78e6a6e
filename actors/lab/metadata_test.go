package lab

import (
	"net/netip"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"
	"github.com/rs/zerolog"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/world"
	"kouzui/actors/world/sim"
	"kouzui/messages"
)

// dialClock notes when a host dials first.
type dialClock struct {
	world.Network
	now    func() time.Duration
	dialed time.Duration // negative: not yet
}

func (d *dialClock) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	if d.dialed < 0 {
		d.dialed = d.now()
	}
	return d.Network.Dial(addr, timeout, done)
}

// A client that knows a torrent by its hash has the info dictionary three round
// trips after it dialled the first peer that has it: one for TCP, one for both
// handshakes, one for all parts.
func TestMetadataInThreeRoundTrips(t *testing.T) {
	const (
		delay     = 25 * time.Millisecond // of each of the two hosts, each way
		roundTrip = 4 * delay
		// behind is for segments that come one after another.
		behind = time.Millisecond
		piece  = 16 << 10
	)
	for _, pieces := range []int64{1, 800, 4000} { // 1, 1 and 5 parts
		s := sim.New(1, nil)
		c, err := newContent(pieces*piece, piece, true, false, "http://tracker.sim/announce", s.Rand("content"))
		if err != nil {
			t.Fatal(err)
		}
		at := sim.Class{Delay: delay}
		here, there := s.NewHost("here", at), s.NewHost("there", at)
		have := bitset.New(uint(pieces)).FlipRange(0, uint(pieces))
		if err := c.lay(there.Disk(), have); err != nil {
			t.Fatal(err)
		}
		open := func(h *sim.Host, w *world.World, notify func(any)) *actors.Client {
			w.Packets = nil
			client, err := actors.Start(actors.Options{
				World: w, Pool: h.Pool, Log: zerolog.Nop(), Sinks: []event.Sink{h}, Meter: h.Meter(), Notify: notify,
				Listen: ":6881", Memory: defaultMemory, Name: h.Name,
				Dispatcher: h.Dispatcher(), Blocking: h.Blocking(), Mailbox: h.Mailbox,
			})
			if err != nil {
				t.Fatal(err)
			}
			return client
		}
		seeding := false
		seed := open(there, there.World(), func(m any) {
			p, is := m.(*messages.Progress)
			seeding = seeding || is && p.State == messages.StateSeeding
		})
		if err := seed.Add(c.torrent, messages.TorrentOptions{Dir: dir, Seed: true}); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(time.Minute, func() bool { return seeding }); err != nil {
			t.Fatal(err)
		}
		w := here.World()
		dial := &dialClock{w.Network, s.Elapsed, -1}
		w.Network = dial
		found := time.Duration(-1)
		client := open(here, w, func(m any) {
			if _, is := m.(*messages.TorrentMetainfoFound); is {
				found = s.Elapsed()
			}
		})
		peer := netip.AddrPortFrom(there.Addr, 6881)
		if err := client.AddHash(c.torrent.InfoHash, "", nil, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{peer}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(2*time.Minute, func() bool { return found >= 0 }); err != nil {
			t.Fatal(err)
		}
		took := found - dial.dialed
		t.Logf("%d bytes: %v, %.2f round trips", len(c.torrent.Info()), took, float64(took)/float64(roundTrip))
		if took > 3*roundTrip+behind {
			t.Errorf("%d bytes of metadata are there %v after the dial, want 3 round trips of %v", len(c.torrent.Info()), took, roundTrip)
		}
		here.Kill()
		there.Kill()
	}
}
