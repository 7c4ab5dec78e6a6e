package dht

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/krpc"
	"kouzui/wire/metainfo"
)

// TestWhatAQuestionFinds: who asks for peers is told those that were announced,
// and how many there are, without a torrent, and announces nothing.
func TestWhatAQuestionFinds(t *testing.T) {
	u := village(t, 40)
	hash := krpc.ID{1, 2, 3}
	u.want(u.order[0], hash, 4000)
	u.want(u.order[1], hash, 4001)
	u.run(time.Minute)
	asker := newMember(Config{Nodes: []netip.AddrPort{host(5)}, ReadOnly: true}, u.rand)
	asker.bound(host(1000))
	u.nodes[host(1000)] = asker
	var answers []messages.DHTPeers
	for range 2 { // asked again before the answer, it is one question
		asker.inquire(&messages.QueryDHTPeers{InfoHash: metainfo.Hash(hash), Reply: func(a messages.DHTPeers) { answers = append(answers, a) }})
	}
	u.settle(asker)
	u.run(time.Minute)
	if len(answers) != 1 {
		t.Fatalf("%d answers", len(answers))
	}
	want := []netip.AddrPort{netip.AddrPortFrom(host(0).Addr(), 4000), netip.AddrPortFrom(host(1).Addr(), 4001)}
	got := answers[0]
	if !slices.Equal(got.Peers, want) || got.Answered < bucketSize || len(got.Nearest) != bucketSize || got.Seeds != 0 || got.Leechers != 2 {
		t.Errorf("found %+v", got)
	}
	for i, m := range u.order {
		for _, p := range m.stored.torrents[hash] {
			if p.addr.Addr() == host(1000).Addr() {
				t.Errorf("the asker is announced to node %d", i)
			}
		}
		if m.table.at(host(1000)) != nil {
			t.Errorf("node %d takes for a node what answers nobody", i)
		}
	}
	if len(asker.inquiries) != 0 {
		t.Error("the question is kept")
	}
}

// TestAQuestionWaitsForNodes: without nodes there is no answer yet.
func TestAQuestionWaitsForNodes(t *testing.T) {
	u := newUniverse(t, 3)
	asker := u.join(host(0))
	answered := 0
	asker.inquire(&messages.QueryDHTPeers{Reply: func(messages.DHTPeers) { answered++ }})
	u.settle(asker)
	u.run(time.Minute)
	if answered != 0 {
		t.Error("it is answered by nobody")
	}
	u.join(host(1), host(0))
	u.run(time.Minute)
	if answered != 1 {
		t.Errorf("with a node there are %d answers", answered)
	}
}

func TestProbes(t *testing.T) {
	u := village(t, 2)
	asker := u.order[0]
	asker.ReadOnly = true
	var got []messages.DHTNode
	probe := func(addr netip.AddrPort) {
		asker.probe(&messages.QueryDHTNode{Addr: addr, Reply: func(n messages.DHTNode) { got = append(got, n) }})
		u.settle(asker)
	}
	probe(host(1))
	probe(host(1))
	u.run(time.Second)
	if len(got) != 1 || got[0].ID != u.order[1].table.self || got[0].Took != 40*time.Millisecond || got[0].External != host(0) || got[0].Version != string(version) || got[0].Failure != "" {
		t.Errorf("a node answers %+v", got)
	}
	got = nil
	probe(host(9))
	u.run(timeout + time.Second)
	if len(got) != 1 || !strings.Contains(got[0].Failure, "has not answered") {
		t.Errorf("nobody answers %+v", got)
	}
	got = nil
	probe(host(8))
	q := asker.queries.list[len(asker.queries.list)-1]
	asker.received(host(8), (&krpc.Message{Kind: krpc.Error, Transaction: q.transaction[:], Code: 202, Text: "full"}).Append(nil), u.now)
	u.settle(asker)
	if len(got) != 1 || got[0].Failure != "it answers with the error 202: full" || len(asker.probes) != 0 {
		t.Errorf("an error answers %+v", got)
	}
}

func TestTheStatusCountsByBucket(t *testing.T) {
	u := village(t, 30)
	s := u.order[0].status(u.now)
	known, good := 0, 0
	for _, b := range s.Buckets {
		known, good = known+b.Known, good+b.Good
	}
	if known != s.Known || good != s.Good || known < 20 || s.Buckets[0].Room != 128 || s.Addr != host(0) {
		t.Errorf("the status is %+v", s)
	}
}
