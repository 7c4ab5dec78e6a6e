// Package report writes what happens in a session as JSON lines, for programs.
//
// docs/JSON.md describes the lines for readers, and kouzui-json-1.schema.json
// in testdata is the contract. Later versions may add fields and types; a
// reader skips what it does not know.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"kouzui"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/timeleft"
	"kouzui/wire/metainfo"
)

const version = 1

// Lines writes to one writer. It is not safe for concurrent use.
type Lines struct {
	w       io.Writer
	now     func() time.Time
	reasons map[string]string // why each actor that is down has failed
	left    map[kouzui.Hash]*timeleft.Estimate
	err     error
}

// New writes to w. The time of each line is that of now.
func New(w io.Writer, now func() time.Time) *Lines {
	return &Lines{w: w, now: now, reasons: map[string]string{}, left: map[kouzui.Hash]*timeleft.Estimate{}}
}

// Err is the first error of the writer; nothing is written after it.
func (l *Lines) Err() error { return l.err }

// Write writes v as a line of JSON. Control characters that could steer a
// terminal are written as escapes, which mean the same in JSON.
func Write(w io.Writer, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	line := make([]byte, 0, len(raw)+1)
	for _, r := range string(raw) { // encoding/json has replaced what is not UTF-8
		if r >= 0x7f && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			line = fmt.Appendf(line, `\u%04x`, r) // all of these fit into four digits
		} else {
			line = utf8.AppendRune(line, r)
		}
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

type head struct {
	V    int    `json:"v"`
	TS   string `json:"ts"`
	Type string `json:"type"`
}

func (l *Lines) head(kind string) head {
	return head{version, l.now().UTC().Format("2006-01-02T15:04:05.000Z07:00"), kind}
}

func (l *Lines) write(line any) {
	if l.err != nil {
		return
	}
	l.err = Write(l.w, line)
}

// Meta writes that a torrent begins, in the folder dir.
func (l *Lines) Meta(t *metainfo.Torrent, dir string) {
	l.write(struct {
		head
		Hash        string     `json:"info_hash"`
		Name        string     `json:"name"`
		Length      int64      `json:"length"`
		PieceLength int64      `json:"piece_length"`
		Pieces      int        `json:"pieces"`
		Files       int        `json:"files"`
		Private     bool       `json:"private"`
		Trackers    [][]string `json:"trackers"`
		Dir         string     `json:"dir"`
	}{
		l.head("meta"), t.InfoHash.String(), t.Name, t.Length, t.PieceLength, t.PieceCount(), len(t.Files),
		t.Private, shown(t.Announce), dir,
	})
}

// shown are tiers of trackers without the keys of users, because others may
// read the lines.
func shown(tiers [][]string) [][]string {
	list := [][]string{}
	for _, tier := range tiers {
		urls := []string{} // never null, also for an empty tier
		for _, url := range tier {
			urls = append(urls, metainfo.MaskURL(url))
		}
		list = append(list, urls)
	}
	return list
}

// Event writes an event of the client or of its supervision. Events that are
// not part of the report are skipped.
func (l *Lines) Event(e any) {
	switch m := e.(type) {
	case kouzui.Progress:
		l.progress(&m.Status)
	case kouzui.Completed:
		l.write(struct {
			head
			Hash string `json:"info_hash"`
			Name string `json:"name"`
		}{l.head("completed"), m.Status.InfoHash.String(), m.Status.Name})
	case kouzui.Announced:
		l.tracker(m)
	case kouzui.PiecesVerified:
		l.write(struct {
			head
			Hash   string   `json:"info_hash"`
			Pieces []uint32 `json:"pieces"`
		}{l.head("piece"), m.Torrent.InfoHash().String(), m.Pieces})
	case *event.Event:
		l.supervision(m)
	}
}

func (l *Lines) progress(p *kouzui.Status) {
	line := struct {
		head
		Hash       string   `json:"info_hash"`
		Name       string   `json:"name"`
		State      string   `json:"state"`
		Why        string   `json:"why,omitempty"`
		Length     int64    `json:"length"`
		Have       int64    `json:"have"`
		Left       int64    `json:"left"`
		Chosen     int64    `json:"chosen,omitempty"`
		Pieces     int      `json:"pieces"`
		HavePieces int      `json:"have_pieces"`
		Down       int64    `json:"down"`
		Up         int64    `json:"up"`
		ETA        *float64 `json:"eta"`
		Downloaded int64    `json:"downloaded"`
		Uploaded   int64    `json:"uploaded"`
		Wasted     int64    `json:"wasted"`
		Corrupt    int      `json:"sha_failures"`
		Peers      int      `json:"peers"`
		Unchoked   int      `json:"unchoked"`
		Seeds      int      `json:"seeds"`
		Encrypted  int      `json:"encrypted,omitempty"`
		DHTNodes   int      `json:"dht_nodes,omitempty"`
		From       counts   `json:"peers_from,omitempty"`
		Known      counts   `json:"addresses_from,omitempty"`
		Restarts   int      `json:"restarts"`
		CheckDone  int      `json:"check_done,omitempty"`
		CheckTotal int      `json:"check_total,omitempty"`
		SuperSeeds bool     `json:"super_seeding,omitempty"`
		Metadata   *fetched `json:"metadata,omitempty"`
	}{
		head: l.head("progress"), Hash: p.InfoHash.String(), Name: p.Name, State: string(p.State), Why: p.Why,
		Length: p.Length, Have: p.Have, Left: p.Left, Chosen: p.Chosen, Pieces: p.Pieces, HavePieces: p.HavePieces,
		Down: int64(p.DownNow), Up: int64(p.UpNow), Downloaded: p.Downloaded, Uploaded: p.Uploaded, Wasted: p.Wasted,
		Corrupt: p.Corrupt, Peers: p.Peers, Unchoked: p.Unchoked, Seeds: p.Seeds, Encrypted: p.Encrypted, Restarts: p.Restarts,
		CheckDone: p.CheckDone, DHTNodes: p.DHTNodes, CheckTotal: p.CheckTotal, SuperSeeds: p.SuperSeeding,
	}
	if m := p.Metadata; p.State == kouzui.StateMetadata {
		line.Metadata = &fetched{m.Size, m.Received, m.Parts(), m.ReceivedParts(), m.Peers, m.Failed}
	}
	for _, n := range p.Sources {
		line.From.add(n.Kind.String(), n.Connected)
		line.Known.add(n.Kind.String(), n.Known)
	}
	left := l.left[p.InfoHash]
	if left == nil {
		left = &timeleft.Estimate{}
		l.left[p.InfoHash] = left
	}
	if eta, ok := left.Left(p); ok {
		seconds := eta.Round(time.Second).Seconds()
		line.ETA = &seconds
	}
	l.write(line)
}

// fetched is how much has come of what peers tell of a torrent.
type fetched struct {
	Size          int `json:"size"`
	Received      int `json:"received"`
	Parts         int `json:"parts"`
	ReceivedParts int `json:"received_parts"`
	Peers         int `json:"peers"`
	Wrong         int `json:"wrong"`
}

// counts are by the kind of source, without those that are 0.
type counts map[string]int

func (c *counts) add(kind string, n int) {
	if n == 0 {
		return
	}
	if *c == nil {
		*c = counts{}
	}
	(*c)[kind] += n
}

func (l *Lines) tracker(m kouzui.Announced) {
	line := struct {
		head
		Hash     string `json:"info_hash"`
		URL      string `json:"url"`
		OK       bool   `json:"ok"`
		Phase    string `json:"phase,omitempty"` // at which the announce failed
		Error    string `json:"error,omitempty"`
		Warning  string `json:"warning,omitempty"`
		Seeders  *int   `json:"seeders,omitempty"`
		Leechers *int   `json:"leechers,omitempty"`
		Peers    *int   `json:"peers,omitempty"`
		Next     string `json:"next,omitempty"`
	}{head: l.head("tracker"), Hash: m.Torrent.InfoHash().String()}
	var next time.Time
	if r := m.Replied; r != nil {
		line.URL, line.OK, line.Warning, next = r.URL, true, r.Warning, r.Next
		line.Seeders, line.Leechers, line.Peers = said(r.Seeders), said(r.Leechers), &r.Peers
	} else if f := m.Failed; f != nil {
		line.URL, line.Phase, line.Error, next = f.URL, f.Phase, f.Err.Error(), f.Next
	}
	if !next.IsZero() {
		line.Next = next.UTC().Format(time.RFC3339)
	}
	l.write(line)
}

// said is a count of a tracker, nil if the tracker does not give it.
func said(count int) *int {
	if count < 0 {
		return nil
	}
	return &count
}

// IsPeer says whether actors of a kind are connections with peers, whichever
// side has dialled.
func IsPeer(kind string) bool { return strings.HasSuffix(kind, "peer") }

func (l *Lines) supervision(e *event.Event) {
	switch {
	case e.Kind == event.Failed:
		l.reasons[e.Actor] = e.Reason
	case e.Kind == event.Restarted:
		l.write(struct {
			head
			Actor       string  `json:"actor"`
			Incarnation int     `json:"incarnation"`
			Reason      string  `json:"reason"`
			Down        float64 `json:"down"`
		}{l.head("restart"), e.Actor, e.Incarnation, l.reasons[e.Actor], e.Down.Seconds()})
		delete(l.reasons, e.Actor)
	case e.Kind == event.Started && IsPeer(e.ActorKind):
		l.peer(e, "began")
	case e.Kind == event.Stopped:
		delete(l.reasons, e.Actor)
		if IsPeer(e.ActorKind) {
			l.peer(e, "ended")
		}
	}
}

func (l *Lines) peer(e *event.Event, what string) {
	l.write(struct {
		head
		Actor  string `json:"actor"`
		Event  string `json:"event"`
		Reason string `json:"reason,omitempty"`
	}{l.head("peer"), e.Actor, what, e.Reason})
}

// Warning writes a warning.
func (l *Lines) Warning(text string) {
	l.write(struct {
		head
		Text string `json:"text"`
	}{l.head("warning"), text})
}

// Totals sum up a torrent or a run.
type Totals struct {
	Bytes    int64   `json:"bytes"` // downloaded
	Uploaded int64   `json:"uploaded"`
	Wasted   int64   `json:"wasted"`
	Seconds  float64 `json:"seconds"`
	Corrupt  int     `json:"sha_failures"`
	Restarts int     `json:"restarts"`
	Blocked  int     `json:"blocked,omitempty"` // addresses and connections, by the blocklist
}

// Torrent writes how a torrent ended. Path is that of its data.
func (l *Lines) Torrent(t *metainfo.Torrent, path string, complete bool, exit int, err error, sum Totals) {
	l.write(struct {
		head
		Hash     string `json:"info_hash"`
		Name     string `json:"name"`
		Path     string `json:"path"`
		Complete bool   `json:"complete"`
		Exit     int    `json:"exit"`
		Error    string `json:"error,omitempty"`
		Totals
	}{l.head("torrent"), t.InfoHash.String(), t.Name, path, complete, exit, text(err), sum})
}

// End writes the last line: done, or error.
func (l *Lines) End(exit int, err error, sum Totals) {
	kind := "done"
	if err != nil {
		kind = "error"
	}
	l.write(struct {
		head
		Exit  int    `json:"exit"`
		Error string `json:"error,omitempty"`
		Totals
	}{l.head(kind), exit, text(err), sum})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return exit.Words(err)
}
