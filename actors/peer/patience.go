package peer

import "time"

// What a peer may send that is of no use to anybody: a keep-alive, a have of
// what it has told before, a request that is not served, a choke right after an
// unchoke. Each costs us a little, and only a flood of them costs us much. So
// they are paid for from an account that fills with time, and who overdraws it
// is cut off.
const (
	maxPatience  = 4000 // at the start, and at most
	patienceRate = 100  // a second

	costUseless  = 1
	costTurn     = 20 // choke, interest: others are told, and decide anew
	costBitfield = 20 // after the first
)

type patience struct {
	spent float64
	as    time.Time // when that was so
}

// spend fails when there was too much of it lately.
func (p *patience) spend(cost int, now time.Time) error {
	p.spent = max(0, p.spent-now.Sub(p.as).Seconds()*patienceRate) + float64(cost)
	p.as = now
	if p.spent > maxPatience {
		return broken("floods us with frames that are of no use")
	}
	return nil
}

// renew forgives: what comes next may have been meant otherwise.
func (p *patience) renew() { p.spent = 0 }
