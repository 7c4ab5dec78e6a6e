package socket

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
)

var start = time.Unix(1_000_000, 0)

func expecting(tracker address, id uint32, until time.Time) *messages.SendDatagrams {
	return &messages.SendDatagrams{
		Datagrams: []messages.Datagram{{Addr: remote}}, From: tracker, Transaction: id, Until: until,
	}
}

func TestOnlyTheAskedAnswer(t *testing.T) {
	dht, tracker := actor.NewPID("", "dht"), actor.NewPID("", "tracker")
	for name, c := range map[string]struct {
		d     messages.Datagram
		after time.Duration
		want  address
	}{
		"KRPC":                {query, 0, dht},
		"the answer":          {answer(remote, 7), 0, tracker},
		"its last moment":     {answer(remote, 7), time.Second - 1, tracker},
		"too late":            {answer(remote, 7), time.Second, nil},
		"another transaction": {answer(remote, 8), 0, nil},
		"another port":        {answer(another, 7), 0, nil},
		"cut short":           {messages.Datagram{Addr: remote, Data: []byte{0, 0, 0, 1, 0, 0, 0}}, 0, nil},
		"nothing":             {messages.Datagram{Addr: remote}, 0, nil},
	} {
		r := newRoute(dht)
		if !r.expect(expecting(tracker, 7, start.Add(time.Second)), start) {
			t.Fatal("not entered")
		}
		if got := r.receiver(c.d, start.Add(c.after)); got != c.want {
			t.Errorf("%s: for %v, want %v", name, got, c.want)
		}
	}
	if newRoute(nil).receiver(query, start) != nil {
		t.Error("there is no DHT")
	}
}

func TestTransactionsAreBounded(t *testing.T) {
	r := newRoute(nil)
	trackers := 0
	fill := func(until time.Time) (entered int) {
		for {
			trackers++
			tracker := actor.NewPID("", fmt.Sprint(trackers))
			for i := range uint32(perTracker + 1) {
				if !r.expect(expecting(tracker, uint32(trackers)<<8|i, until), start) {
					if i < perTracker {
						return entered
					}
					break
				}
				entered++
			}
		}
	}
	if n := fill(start.Add(time.Second)); n != maxTransactions {
		t.Errorf("%d transactions, want %d", n, maxTransactions)
	}
	// The same again takes the place of the one before.
	if !r.expect(expecting(actor.NewPID("", "late"), 1, start.Add(time.Minute)), start.Add(time.Second)) {
		t.Error("those that have expired are in the way")
	}
	if len(r.waiting) != 1 || len(r.counts) != 1 {
		t.Errorf("%d transactions and %d trackers are left", len(r.waiting), len(r.counts))
	}
	r.forget(transaction{remote, 1})
	if len(r.counts) != 0 {
		t.Error("a tracker that waits for nothing is remembered")
	}
}

// What has expired is forgotten though no bound is reached.
func TestExpiredTransactionsAreForgotten(t *testing.T) {
	r := newRoute(nil)
	for i := range uint32(100_000) {
		now := start.Add(time.Duration(i) * time.Second)
		r.expect(expecting(actor.NewPID("", fmt.Sprint(i)), i, now.Add(time.Second)), now)
		if len(r.waiting) > minSweep {
			t.Fatalf("%d transactions", len(r.waiting))
		}
	}
}
