package peers

import (
	"time"

	"kouzui/messages"
)

// maxIdleUnreported is how long a connection is kept when others wait for its
// place, while the metainfo is not known and no connection can be of use.
const maxIdleUnreported = time.Minute

// wantSlot notes that the torrent had no connection left for somebody.
func (k *connections) wantSlot() {
	k.refused = true
	if k.metainfo == nil {
		k.evictIdle()
	}
}

// askForSlots asks, once for any number that were refused or could not be
// dialled, that a connection of no use ends: one of this torrent, if its own
// limit is in the way, one of any torrent if that of the process is.
func (k *connections) askForSlots() {
	if k.dialling.wanted && len(k.slots) >= k.max {
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

// evictIdle ends a connection of no use, if there is one. The scheduler knows
// which; while there is no metainfo, it is the one that is connected for
// longest.
func (k *connections) evictIdle() {
	if k.metainfo != nil {
		k.out.add(tellScheduler{&messages.EvictIdlePeer{}})
		return
	}
	for _, m := range k.unreported {
		if s := k.slots[m.Key]; k.now.Sub(s.since) >= maxIdleUnreported {
			k.forgetReady(m.Key)
			k.disconnect(s, messages.GoneUseless)
			return
		}
	}
}
