package scheduler

import "kouzui/messages"

// uploadOnly tells whether we say that we want no more pieces (BEP 21). Clients
// take one that says so for a seed, which a super-seed does not want.
func (s *swarm) uploadOnly() bool { return s.complete() && !s.super.active }

// tellUploadOnly tells peers when that changes.
func (s *swarm) tellUploadOnly() {
	is := s.uploadOnly()
	if is == s.saidUploadOnly {
		return
	}
	s.saidUploadOnly = is
	for _, p := range s.peers {
		if p.uploadOnly != is && !p.dismissed {
			p.uploadOnly = is
			s.out.Send(p.Peer, &messages.SetUploadOnly{UploadOnly: is})
		}
	}
}
