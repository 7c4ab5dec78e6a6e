package supervise

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
)

// Processes that the library registered before the registry was shrunk are
// still found.
func TestShrunkRegistry(t *testing.T) {
	before := actor.NewActorSystem().ProcessRegistry.LocalPIDs.LocalPIDs
	registry := NewSystem(zerolog.Nop()).ProcessRegistry
	if n := len(registry.LocalPIDs.LocalPIDs); n != buckets {
		t.Errorf("%d buckets, want %d", n, buckets)
	}
	for _, bucket := range registry.LocalPIDs.LocalPIDs {
		if len(bucket) != 1 {
			t.Fatalf("a bucket of %d maps, want one", len(bucket))
		}
	}
	found := 0
	for _, bucket := range before {
		for id := range bucket.Items() {
			if _, ok := registry.Get(actor.NewPID(registry.Address, id)); !ok {
				t.Errorf("%s is not registered any more", id)
			}
			found++
		}
	}
	if found == 0 {
		t.Error("the library registers nothing of its own: this test shows nothing")
	}
}
