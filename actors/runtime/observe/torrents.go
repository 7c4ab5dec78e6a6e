package observe

import (
	"fmt"
	"math"
	"time"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// torrent is one torrent as the page shows it.
type torrent struct {
	Hash       string       `json:"hash"`
	Name       string       `json:"name"`
	State      string       `json:"state"`
	Why        string       `json:"why,omitempty"` // nothing moves, or what ended it
	Pieces     int          `json:"pieces"`
	HavePieces int          `json:"have_pieces"`
	Length     int64        `json:"length"`
	Have       int64        `json:"have"`
	Downloaded int64        `json:"downloaded"`
	Uploaded   int64        `json:"uploaded"`
	Wasted     int64        `json:"wasted"`
	Corrupt    int          `json:"corrupt"`
	Peers      int          `json:"peers"`
	Unchoked   int          `json:"unchoked"`
	Seeds      int          `json:"seeds"`
	Encrypted  int          `json:"encrypted"`
	Sources    []peerSource `json:"sources"`
	DHTNodes   int          `json:"dht_nodes"`
	Metadata   *metadata    `json:"metadata,omitempty"` // while it is fetched
	Map        []int        `json:"map"`                // of 0 to 255
	Down       []int64      `json:"down"`
	Up         []int64      `json:"up"` // bytes a second, a value a second, the newest last
	Top        []peer       `json:"top"`
	downNow    float64
	upNow      float64
	rated      time.Time // when Down and Up were added to
	version    uint64
}

// metadata is how much has come of what peers tell of a torrent.
type metadata struct {
	Size     int `json:"size"` // bytes; 0: not known
	Received int `json:"received"`
	Parts    int `json:"parts"`
	Have     int `json:"received_parts"`
	Peers    int `json:"peers"` // that offer it
}

// peerSource is a kind of sources that has brought peers.
type peerSource struct {
	Source    string `json:"source"`
	Connected int    `json:"connected"`
	Known     int    `json:"known"` // addresses
}

// peer is one of the most useful peers; Actor is the last part of its path.
type peer struct {
	Actor  string  `json:"actor"`
	Source string  `json:"source"`
	Addr   string  `json:"addr"`
	Down   float64 `json:"down"`
	Up     float64 `json:"up"`
}

// rateEvery is the distance of two values of Down and Up. Progress comes once a
// second, a little more or less.
const rateEvery = 900 * time.Millisecond

// Bounds in bytes of what comes from strangers and their files.
const (
	maxName = 255
	maxText = 1000 // of a reason
)

func (t *torrent) take(p *messages.Progress, err string) {
	t.Hash, t.Name = p.InfoHash.String(), metainfo.Clean(p.Name, maxName)
	t.State, t.Why = string(p.State), p.Why
	if err != "" {
		t.State, t.Why = "failed", err
	}
	t.Why = metainfo.Clean(t.Why, maxText)
	t.Pieces, t.HavePieces, t.Length, t.Have = p.Pieces, p.HavePieces, p.Length, p.Have
	t.Downloaded, t.Uploaded, t.Wasted, t.Corrupt = p.Downloaded, p.Uploaded, p.Wasted, p.Corrupt
	t.Peers, t.Unchoked, t.Seeds, t.Encrypted = p.Peers, p.Unchoked, p.Seeds, p.Encrypted
	t.DHTNodes = p.DHTNodes
	t.Metadata = nil
	if m := p.Metadata; p.State == messages.StateMetadata {
		t.Metadata = &metadata{m.Size, m.Received, m.Parts(), m.ReceivedParts(), m.Peers}
	}
	t.Sources = make([]peerSource, len(p.Sources))
	for i, n := range p.Sources {
		t.Sources[i] = peerSource{n.Kind.String(), n.Connected, n.Known}
	}
	t.downNow, t.upNow = p.DownNow, p.UpNow
	if p.At.Sub(t.rated) >= rateEvery {
		t.rated = p.At
		t.Down = push(t.Down, p.DownNow)
		t.Up = push(t.Up, p.UpNow)
	}
	t.Map = make([]int, len(p.Map))
	for i, cell := range p.Map {
		t.Map[i] = int(cell)
	}
	t.Top = make([]peer, len(p.Top))
	for i, o := range p.Top {
		t.Top[i] = peer{Actor: fmt.Sprintf("peer-%d", o.Key), Source: o.Source.Kind.String(), Addr: o.Addr.String(), Down: o.DownNow, Up: o.UpNow}
	}
}

func push(rates []int64, rate float64) []int64 {
	if len(rates) == maxRates {
		copy(rates, rates[1:])
		rates = rates[:maxRates-1]
	}
	return append(rates, int64(math.Round(rate)))
}
