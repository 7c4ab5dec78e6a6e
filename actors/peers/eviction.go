package peers

import (
	"time"

	"kouzui/messages"
)

// maxIdleUnreported is how long a connection is kept when others wait for its
// place, while the metainfo is not known and no connection can move payload.
const maxIdleUnreported = time.Minute

// wantSlot notes that a peer was turned away because of the torrent's limit of
// connections.
func (k *connections) wantSlot() {
	k.refused = true
	if k.metainfo == nil {
		k.evictIdle()
	}
}

// askForSlots asks that an idle connection ends, once for any number of peers
// that were refused or could not be dialled: a connection of this torrent, if
// the torrent's limit was reached, of any torrent, if the process's was.
func (k *connections) askForSlots() {
	if k.dialling.wanted && len(k.slots.all) >= k.max {
		best, _ := k.candidates.next(k.now, k.rnd)
		k.refused = k.refused || best != nil && best.failures == 0
	}
	if k.refused {
		k.evictIdle()
	}
	if k.dialling.exhausted {
		k.out.add(connectionsExhausted{})
	}
	k.refused, k.dialling.exhausted = false, false
}

// evictIdle ends an idle connection, if there is one. The scheduler chooses
// which. While there is no metainfo, there is no scheduler, and the connection
// that has been open for longest ends.
func (k *connections) evictIdle() {
	if k.metainfo != nil {
		k.out.add(tellScheduler{&messages.EvictIdlePeer{}})
		return
	}
	for _, m := range k.unreported {
		if s := k.slots.of(m.Key); k.now.Sub(s.since) >= maxIdleUnreported {
			k.forgetReady(m.Key)
			k.disconnect(s, messages.GoneUseless)
			return
		}
	}
}
