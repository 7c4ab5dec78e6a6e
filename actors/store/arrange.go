package store

import "kouzui/actors/store/keeper"

// arrangeLater has the keeper divert the files that are not wanted, and make
// those that have come to be. A seed leaves its files as they are.
func (s *core) arrangeLater() {
	if s.MustExist || s.WantedFiles == nil && !s.files.Layout().Divides() {
		return
	}
	s.arrange, s.placed = true, false
}

// arranging tells whether nothing may be written, as bytes of files are to get
// another place.
func (s *core) arranging() bool {
	return s.arrange || s.keeper.chore != nil && s.keeper.chore.Task == keeper.Arrange
}

// giveArrange hands the keeper an Arrange once nothing is being written.
func (s *core) giveArrange() {
	if s.queue.Busy() > 0 || !s.health.allows() {
		return
	}
	s.arrange = false
	s.give(&keeper.Chore{Task: keeper.Arrange, Wanted: s.WantedFiles, Verified: s.have.Clone(), Probe: s.health.take()})
}

// arranged: what was written is to be synced and entered in the journal. After
// a failure it is tried again.
func (s *core) arranged(m *keeper.Chore) {
	for _, file := range m.Made {
		s.dirty.Set(uint(file))
		s.unsaved = true
	}
	if !s.report(m.Err, m.Probe) {
		s.arrange = true
	}
}
