package torrent

// tiers says which tracker tiers announce (BEP 12): the first, and each further
// one only while all before it fail. A tier that fails goes on trying. A tier
// that replies, or has not replied yet, counts as failing too while none of its
// peers is connected with us: otherwise a tracker that lies would keep the
// later tiers from being asked.
//
// Of a private torrent one tier announces at a time (BEP 27): the first, and
// when it fails the next one instead, after the last the first again.
type tiers struct {
	private  bool
	active   []bool // announces
	failing  []bool // all its URLs have failed since its last reply
	peerless []bool // no peer came of it for long
}

func newTiers(n int) tiers {
	return tiers{active: make([]bool, n), failing: make([]bool, n), peerless: make([]bool, n)}
}

// exhausted notes that a tier fails, and returns the tiers which are to pause,
// and those to be activated.
func (t *tiers) exhausted(tier int) (pause, activate []int) {
	t.failing[tier] = true
	if !t.private {
		return nil, t.advance()
	}
	if !t.active[tier] || len(t.active) == 1 {
		return nil, nil
	}
	next := (tier + 1) % len(t.active)
	t.active[tier], t.active[next] = false, true
	return []int{tier}, []int{next}
}

// keepOne notes that the torrent is private, and returns the tiers which are to
// pause.
func (t *tiers) keepOne() (pause []int) {
	t.private = true
	for i, first := 0, true; i < len(t.active); i++ {
		if t.active[i] && !first {
			t.active[i] = false
			pause = append(pause, i)
		}
		first = first && !t.active[i]
	}
	return pause
}

// advance activates the first tier, and each tier before which all fail. It
// returns those that were not active.
func (t *tiers) advance() (activate []int) {
	for i := range t.active {
		if !t.active[i] {
			t.active[i] = true
			activate = append(activate, i)
		}
		if !t.failing[i] && !t.peerless[i] {
			break
		}
	}
	return activate
}

// nobodyConnected notes that no peer came of the active tiers, and returns the
// tier to be activated, if one is left.
func (t *tiers) nobodyConnected() (activate []int) {
	if t.private {
		return nil
	}
	copy(t.peerless, t.active)
	return t.advance()
}

// peersConnected notes that a peer is connected, or that none is needed.
func (t *tiers) peersConnected() { clear(t.peerless) }

// replied notes that a tier works, and returns the later tiers, which are to
// pause. A tier of which no peer came works for itself only.
func (t *tiers) replied(tier int) (pause []int) {
	t.failing[tier] = false
	if t.peerless[tier] || t.private {
		return nil
	}
	for i := tier + 1; i < len(t.active); i++ {
		if t.active[i] {
			t.active[i] = false
			pause = append(pause, i)
		}
	}
	return pause
}
