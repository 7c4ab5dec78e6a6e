// Package view draws running torrents: as lines for a terminal, where Screen
// keeps them in place, and as single lines for everything else.
package view

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"kouzui/cmd/kouzui/internal/units"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Hashing is the state of files that are hashed without an engine; like those
// being checked they have no rates and no peers.
const Hashing messages.State = "hashing"

func counting(p *messages.Progress) bool {
	return p.State == messages.StateChecking || p.State == Hashing
}

// Canvas is what there is to draw on.
type Canvas struct {
	Width, Height int // in cells
	Colour        bool
}

const (
	narrowest = 40
	widestBar = 50
	longest   = 200 // bytes of a name or a reason
	labelled  = 22  // cells before a piece map
	rated     = 26  // cells after it
)

// Lines draws torrents, the oldest first, into at most Height lines of at most
// Width cells: each with its piece map and its peers if there is room, or else in
// fewer lines.
func Lines(torrents []*messages.Progress, c Canvas) []string {
	c.Width = max(c.Width, narrowest)
	for _, draw := range []func(*messages.Progress, Canvas) []string{withPeers, withMap, compact} {
		var lines []string
		for _, p := range torrents {
			lines = append(lines, draw(p, c)...)
		}
		if len(lines) <= c.Height {
			return cut(lines, c.Width)
		}
	}
	shown := max(c.Height-1, 0)
	var lines []string
	for _, p := range torrents[:min(shown, len(torrents))] {
		lines = append(lines, compact(p, c)...)
	}
	lines = append(lines, c.faint(fmt.Sprintf("and %d more", len(torrents)-shown)))
	return cut(lines[:min(len(lines), c.Height)], c.Width)
}

func cut(lines []string, width int) []string {
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, "…")
	}
	return lines
}

// compact is one line: how far, how fast, and what.
func compact(p *messages.Progress, c Canvas) []string {
	const cells = 16
	return []string{fmt.Sprintf("%s %6s %s  %s", c.bar(p, cells), percent(p), state(p, c), name(p))}
}

// withMap is a block of lines without the peers.
func withMap(p *messages.Progress, c Canvas) []string {
	if counting(p) {
		return compact(p, c)
	}
	facts := facts(p)
	lines := []string{
		c.bold(name(p)) + "  " + state(p, c),
		fmt.Sprintf("%s %6s  %s", c.bar(p, min(widestBar, c.Width/2)), percent(p), facts[0]),
		strings.Join(facts[1:], "  "),
	}
	if p.Why != "" {
		lines = append(lines, c.yellow(metainfo.Clean(p.Why, longest)))
	}
	if len(p.Map) > 0 && p.HavePieces < p.Pieces {
		lines = append(lines, c.mapLine("us", p.Map, ""))
	}
	return lines
}

func withPeers(p *messages.Progress, c Canvas) []string {
	lines := withMap(p, c)
	for i := range p.Top {
		lines = append(lines, c.peer(&p.Top[i]))
	}
	return lines
}

// Line is a torrent in one line, without any steering of a terminal.
func Line(p *messages.Progress) string {
	line := fmt.Sprintf("%s: %s", name(p), p.State)
	switch {
	case counting(p):
		return line + " " + percent(p)
	case p.State != messages.StateStarting:
		line += " " + percent(p) + ", " + strings.Join(facts(p), ", ")
	}
	if p.Why != "" {
		line += ". " + metainfo.Clean(p.Why, longest)
	}
	return line
}

func name(p *messages.Progress) string { return metainfo.Clean(p.Name, longest) }

// percent is of the check while there is one, and else of what is verified.
func percent(p *messages.Progress) string {
	if counting(p) {
		return units.Percent(int64(p.CheckDone), int64(p.CheckTotal))
	}
	return units.Percent(p.Have, p.Length)
}

// facts are the numbers of a torrent: rates and the time left first.
func facts(p *messages.Progress) []string {
	rate := fmt.Sprintf("down %s, up %s", units.Rate(p.DownNow), units.Rate(p.UpNow))
	if eta, ok := units.ETA(p.Left, p.DownNow); ok {
		rate += ", " + units.Duration(eta) + " left"
	}
	have := fmt.Sprintf("%s of %s", units.Bytes(p.Have), units.Bytes(p.Length))
	peers := fmt.Sprintf("peers %d of %d unchoke us", p.Unchoked, p.Peers)
	if p.Left == 0 {
		peers = fmt.Sprintf("peers %d", p.Peers)
	}
	if p.Seeds > 0 {
		peers += fmt.Sprintf(" (seeds %d)", p.Seeds)
	}
	list := []string{rate, have, peers, "ratio " + ratio(p)}
	if p.Corrupt > 0 {
		list = append(list, fmt.Sprintf("corrupt pieces %d", p.Corrupt))
	}
	if p.Restarts > 0 {
		list = append(list, fmt.Sprintf("restarts %d", p.Restarts))
	}
	return list
}

// ratio counts the whole as fetched when nothing had to be.
func ratio(p *messages.Progress) string {
	fetched := p.Downloaded
	if fetched == 0 {
		fetched = p.Length
	}
	if fetched == 0 {
		return "0.00"
	}
	return fmt.Sprintf("%.2f", float64(p.Uploaded)/float64(fetched))
}

func state(p *messages.Progress, c Canvas) string {
	switch p.State {
	case messages.StateSeeding, messages.StateFinishing:
		return c.green(string(p.State))
	case messages.StateDiskFull, messages.StateRestarting:
		return c.yellow(string(p.State))
	}
	return c.faint(string(p.State))
}

// bar is as full as percent says, in eighths of a cell.
func (c Canvas) bar(p *messages.Progress, cells int) string {
	part, whole := p.Have, p.Length
	if counting(p) {
		part, whole = int64(p.CheckDone), int64(p.CheckTotal)
	}
	eighths := 8 * cells
	if part < whole {
		eighths = int(float64(eighths) * float64(part) / float64(whole))
	}
	full := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		full += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	empty := strings.Repeat(" ", cells-ansi.StringWidth(full))
	return "▕" + c.green(full) + empty + "▏"
}

// peer is the piece map of a peer, who it is and what moves.
func (c Canvas) peer(p *messages.PeerInfo) string {
	rates := fmt.Sprintf("down %s", units.Rate(p.DownNow))
	if p.UpNow >= 1 {
		rates = fmt.Sprintf("up %s", units.Rate(p.UpNow))
		if p.DownNow >= 1 {
			rates = fmt.Sprintf("down %s, up %s", units.Bytes(int64(p.DownNow)), units.Rate(p.UpNow))
		}
	}
	switch {
	case p.Flags.Snubbed:
		rates += " snubbed"
	case p.Flags.PeerChoking && p.Flags.AmInterested:
		rates += " chokes us"
	}
	return c.mapLine(p.Addr.String(), p.Map, rates)
}

func (c Canvas) mapLine(label string, cells []uint8, after string) string {
	label = ansi.Truncate(label, labelled-1, "…")
	label += strings.Repeat(" ", labelled-ansi.StringWidth(label))
	room := max(c.Width-labelled-rated-1, 8)
	return c.faint(label) + c.green(Map(cells, room)) + " " + c.faint(after)
}

// shades run from nothing to all; only the first is for nothing, and only the
// last for all.
var shades = []rune("·░▒▓█")

// Map draws a piece map (see messages.Progress) in at most width cells.
func Map(cells []uint8, width int) string {
	n := min(len(cells), width)
	drawn := make([]rune, n)
	for i := range drawn {
		part := cells[i*len(cells)/n : (i+1)*len(cells)/n]
		sum := 0
		for _, v := range part {
			sum += int(v)
		}
		drawn[i] = shade(sum, 255*len(part))
	}
	return string(drawn)
}

func shade(sum, all int) rune {
	switch last := len(shades) - 1; {
	case sum == 0:
		return shades[0]
	case sum == all:
		return shades[last]
	default:
		return shades[1+sum*(last-1)/all]
	}
}

func (c Canvas) bold(s string) string   { return c.styled("1", s) }
func (c Canvas) faint(s string) string  { return c.styled("2", s) }
func (c Canvas) green(s string) string  { return c.styled("32", s) }
func (c Canvas) yellow(s string) string { return c.styled("33", s) }

func (c Canvas) styled(sgr, s string) string {
	if !c.Colour || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}
