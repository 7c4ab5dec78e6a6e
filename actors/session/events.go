package session

import "kouzui/messages"

// counted is what a torrent tells of itself, with its restarts counted. One
// that was given up by supervision tells nothing, so what it told last holds.
func (r *registry) counted(t *run, p messages.Progress) messages.Progress {
	if p.InfoHash != t.Add.InfoHash {
		p = t.Last
	}
	if t.pid != nil {
		p.Restarts = r.restarts(t.pid.Id)
	}
	p.DHTNodes = r.nodesKnown().Count
	t.Last = p
	return p
}

func (r *registry) progress(m *messages.Progress) {
	t := r.runs[m.InfoHash]
	if t == nil {
		return
	}
	before := t.hungry()
	p := r.counted(t, *m)
	if p.State == messages.StateStarting {
		t.memory = 0 // it has just been restarted, or a part of it
	}
	if t.hungry() != before || t.memory == 0 {
		r.divideSoon()
	}
	r.notify(&p)
	if p.State == messages.StateSeeding {
		r.firstCompletion(t)
	}
}

// firstCompletion tells the user that all is there, once: the torrent's own
// word may have been lost with a session, or come again from another life of
// it.
func (r *registry) firstCompletion(t *run) {
	if !t.Completed {
		r.complete(t)
	}
}

func (r *registry) complete(t *run) {
	t.Completed, t.Reopens = true, false
	t.Whole = t.Whole || t.Last.HavePieces == t.Last.Pieces
	r.notify(&messages.TorrentCompleted{InfoHash: t.Add.InfoHash, Last: t.Last})
}

func (r *registry) completed(m *messages.TorrentCompleted) {
	t := r.runs[m.InfoHash]
	if t == nil {
		return
	}
	r.counted(t, m.Last)
	if t.Reopens || !t.Completed {
		r.complete(t)
	}
}

func (r *registry) metainfoFound(m *messages.TorrentMetainfoFound) {
	if t := r.runs[m.Torrent.InfoHash]; t != nil {
		t.Metainfo = &messages.SetMetainfo{Torrent: m.Torrent}
		r.notify(m)
	}
}

func (r *registry) dataChanged(m *messages.TorrentDataChanged) {
	if t := r.runs[m.InfoHash]; t != nil {
		t.Reopens = t.Completed
		r.notify(m)
	}
}
