package session

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// A DHT that was restarted knows nobody, and neither reports nodes.
func TestARestartedDHTIsToldTheNodesThatItKnew(t *testing.T) {
	dht := actor.NewPID("here", "dht")
	r := &registry{refs: messages.Refs{DHT: [2]*actor.PID{messages.IPv6: dht}}}
	node := netip.MustParseAddrPort("[2001:db8::1]:6881")
	r.dhtReported(&messages.DHTReport{Family: messages.IPv6, Nodes: []netip.AddrPort{node}})
	for range 2 {
		r.dhtReported(&messages.DHTReport{Family: messages.IPv6})
		r.dhtStarted(&messages.DHTStarted{DHT: dht})
		told := 0
		r.out.Flush(func(to *actor.PID, m any) {
			if add, is := m.(*messages.AddNode); is && to.Equal(dht) && add.Addr == node {
				told++
			}
		})
		if told != 1 {
			t.Errorf("it is told %d times", told)
		}
	}
}

// A question of the program goes to the DHT of its family alone, and to nobody
// where there is none.
func TestQuestionsGoToTheDHTOfTheirFamily(t *testing.T) {
	dht := actor.NewPID("here", "dht")
	r := &registry{refs: messages.Refs{DHT: [2]*actor.PID{messages.IPv6: dht}}}
	for family, want := range [2]int{messages.IPv4: 0, messages.IPv6: 1} {
		r.askDHT(family, &messages.QueryDHT{Family: family})
		asked := 0
		r.out.Flush(func(to *actor.PID, _ any) {
			if to.Equal(dht) {
				asked++
			}
		})
		if asked != want {
			t.Errorf("of family %d the DHT is asked %d times, want %d", family, asked, want)
		}
	}
}

// Torrents hear how many nodes there are when that changes, those that are
// complete do not.
func TestTorrentsHearHowManyNodesThereAre(t *testing.T) {
	r := &registry{runs: map[metainfo.Hash]*run{}}
	seed, leech := actor.NewPID("here", "seed"), actor.NewPID("here", "leech")
	add := func(i byte, pid *actor.PID, state messages.State) {
		r.runs[metainfo.Hash{i}] = &run{Recalled: Recalled{Add: &messages.AddTorrent{Run: uint64(i)}, Last: messages.Progress{State: state}}, pid: pid}
	}
	add(1, seed, messages.StateSeeding)
	add(2, leech, messages.StateMetadata)
	var heard []int
	for _, report := range []messages.DHTReport{{Known: 3}, {Known: 3, Good: 1}, {Family: messages.IPv6, Known: 2}, {}} {
		r.dhtReported(&report)
		r.out.Flush(func(to *actor.PID, m any) {
			if m, is := m.(*messages.DHTNodesKnown); is && to.Equal(leech) {
				heard = append(heard, m.Count)
			} else if is {
				t.Errorf("%v is told", to)
			}
		})
	}
	if want := []int{3, 5, 2}; !slices.Equal(heard, want) {
		t.Errorf("it hears %v, want %v", heard, want)
	}
}

// A DHT that has started is told what is believed of our address, once it is.
func TestADHTThatStartsIsToldOurAddress(t *testing.T) {
	dht := actor.NewPID("here", "dht")
	r := &registry{refs: messages.Refs{DHT: [2]*actor.PID{messages.IPv4: dht}}}
	told := func() (list []netip.Addr) {
		r.out.Flush(func(to *actor.PID, m any) {
			if m, is := m.(*messages.SetOurAddress); is && to.Equal(dht) {
				list = append(list, m.Addr)
			}
		})
		return list
	}
	ours := netip.MustParseAddr("70.1.2.3")
	for i := range maxVotes {
		r.addressReported(&messages.AddressReported{Voter: from(i), Addr: ours})
	}
	if list := told(); len(list) != 1 || list[0] != ours {
		t.Errorf("it is told %v when most say so", list)
	}
	r.dhtStarted(&messages.DHTStarted{DHT: dht})
	if list := told(); len(list) != 1 || list[0] != ours {
		t.Errorf("it is told %v when it starts", list)
	}
}
