package torrent

// tiers says which tracker tiers announce (BEP 12): the first, and each further
// one only while all before it fail. Tiers that fail go on trying. A tier that
// replies, or takes its time, but has nobody connected with us, is as good as
// failing: else one that lies would keep the others from being asked.
type tiers struct {
	active  []bool
	failing []bool
	barren  []bool
}

func newTiers(n int) tiers {
	return tiers{active: make([]bool, n), failing: make([]bool, n), barren: make([]bool, n)}
}

// exhausted takes note that a tier fails, and returns the tiers to be activated.
func (t *tiers) exhausted(tier int) (activate []int) {
	t.failing[tier] = true
	return t.advance()
}

// advance activates the first tier and those that have their turn because all
// before them fail.
func (t *tiers) advance() (activate []int) {
	for i := range t.active {
		if !t.active[i] {
			t.active[i] = true
			activate = append(activate, i)
		}
		if !t.failing[i] && !t.barren[i] {
			break
		}
	}
	return activate
}

// alone takes note that what the tiers have brought so far is nobody, and returns
// the tiers to be activated: one more.
func (t *tiers) alone() (activate []int) {
	copy(t.barren, t.active)
	return t.advance()
}

// met takes note that somebody is connected.
func (t *tiers) met() { clear(t.barren) }

// replied takes note that a tier works, and returns the later ones if they are
// to stand by.
func (t *tiers) replied(tier int) (standBy []int) {
	t.failing[tier] = false
	if t.barren[tier] {
		return nil
	}
	for i := tier + 1; i < len(t.active); i++ {
		if t.active[i] {
			t.active[i] = false
			standBy = append(standBy, i)
		}
	}
	return standBy
}
