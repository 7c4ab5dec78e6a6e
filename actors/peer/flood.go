package peer

import "time"

// A peer may send frames that are of no use to anybody: a keep-alive, a have of
// what it has announced before, a request that is not served, a choke right
// after an unchoke. Each costs us a little, and only a flood of them costs us
// much. So each is charged to an account, which time and payload of use pay
// off; a peer that owes too much is disconnected.
const (
	maxFlood  = 4000 // the most that a peer may owe
	floodRate = 100  // what is paid off a second

	costUseless  = 1
	costChange   = 20 // of choke or interest: choker or scheduler decide anew
	costBitfield = 20 // after the first
	// repeatUnit: a block that has come before costs one for each so many bytes.
	repeatUnit = 1 << 10

	// paidByBlock is what a block that we lacked pays off. A peer that chokes and
	// unchokes us around each block, or sends each block three times, is of use
	// all the same.
	paidByBlock = 2 * costChange
	// maxPaid is what can be paid ahead: as many blocks that come again as the
	// longest window has.
	maxPaid = maxWindow * (costUseless + blockSize/repeatUnit)
	// toleranceOnly is by what maxFlood, maxUnasked and paidByBlock are multiplied
	// for the only source of what is asked for.
	toleranceOnly = 4
)

// floodAccount is what a peer owes for frames of no use.
type floodAccount struct {
	owed float64   // negative: paid ahead
	at   time.Time // when that was so
	most float64
}

// charge fails when there were too many such frames lately.
func (a *floodAccount) charge(cost int, now time.Time) error {
	a.owed = max(min(a.owed, 0), a.owed-now.Sub(a.at).Seconds()*floodRate) + float64(cost)
	a.at = now
	if a.owed > a.most {
		return broken("floods us with frames that are of no use")
	}
	return nil
}

// pay pays off what is owed, or pays ahead.
func (a *floodAccount) pay(amount float64) { a.owed = max(a.owed-amount, -maxPaid) }

// clear forgives everything.
func (a *floodAccount) clear() { a.owed = min(a.owed, 0) }
