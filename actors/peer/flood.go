package peer

import "time"

// A peer may send frames that are of no use to anybody: a keep-alive, a have of
// what it has announced before, a request that is not served, a choke right
// after an unchoke. Each costs us a little, and only a flood of them costs us
// much. So each is charged to an account, which time pays off; a peer that owes
// too much is disconnected.
const (
	maxFlood  = 4000 // the most that a peer may owe
	floodRate = 100  // what is paid off a second

	costUseless  = 1
	costChange   = 20 // of choke or interest: choker or scheduler decide anew
	costBitfield = 20 // after the first
)

// floodAccount is what a peer owes for frames of no use.
type floodAccount struct {
	owed float64
	at   time.Time // when that was so
}

// charge fails when there were too many such frames lately.
func (a *floodAccount) charge(cost int, now time.Time) error {
	a.owed = max(0, a.owed-now.Sub(a.at).Seconds()*floodRate) + float64(cost)
	a.at = now
	if a.owed > maxFlood {
		return broken("floods us with frames that are of no use")
	}
	return nil
}

// clear forgives everything.
func (a *floodAccount) clear() { a.owed = 0 }
