package peer

import (
	"time"

	"kouzui/wire/extended"
)

// A side that wants no more pieces says so (BEP 21): two such sides have no use
// for each other.

// setUploadOnly tells the other side whether we want no more pieces: by the
// message, or by a further handshake if the other side does not take that.
func (s *session) setUploadOnly(is bool) {
	e := &s.extension
	if is == e.uploadOnly {
		return
	}
	e.uploadOnly = is
	if e.takes.Takes(extended.UploadOnly) {
		s.extend(extended.UploadOnly, extended.AppendUploadOnly(nil, is), nil)
		e.said.UploadOnly = e.uploadOnlyClaim()
	}
	s.introduce()
}

// uploadOnlyClaim is what our next handshake says. What was never claimed need
// not be denied.
func (e *extension) uploadOnlyClaim() extended.Claim {
	switch {
	case e.uploadOnly:
		return extended.Claimed
	case e.said.UploadOnly != extended.Unsaid:
		return extended.Denied
	default:
		return extended.Unsaid
	}
}

// takeUploadOnly takes the message that the other side wants no more pieces, or
// does again.
func (s *session) takeUploadOnly(payload []byte, now time.Time) error {
	is, err := extended.ParseUploadOnly(payload)
	if err != nil || is == s.flags.UploadOnly {
		return s.flood.charge(costUseless+len(payload)/repeatUnit, now)
	}
	s.claimsUploadOnly(is)
	return s.flood.charge(costChange, now)
}

// claimsUploadOnly notes whether the other side says that it wants no more
// pieces. Its interest takes back the claim: some clients never do.
func (s *session) claimsUploadOnly(is bool) {
	if is == s.flags.UploadOnly {
		return
	}
	s.flags.UploadOnly, s.out.flags = is, true
	s.introducedAgain()
}
