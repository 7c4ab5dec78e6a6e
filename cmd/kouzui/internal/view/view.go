// Package view draws running torrents: as lines that a Screen keeps in place on
// a terminal, and as single plain lines.
package view

import (
	"fmt"
	"kouzui"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"kouzui/cmd/kouzui/internal/units"
	"kouzui/wire/metainfo"
)

// Hashing is the state of files that a command hashes itself.
const Hashing kouzui.State = "hashing"

// counting says that pieces are being hashed: there are no rates and no peers.
func counting(p *kouzui.Status) bool {
	return p.State == kouzui.StateChecking || p.State == Hashing
}

// Canvas is what there is to draw on.
type Canvas struct {
	Width, Height int // in cells
	Colour        bool
}

const (
	narrowestBar = 16  // cells
	narrowest    = 40  // cells that are drawn even if the terminal has fewer
	widestBar    = 50  // cells
	besideBar    = 54  // cells of percent, rates and the time left
	longest      = 200 // bytes of a name or a reason
	labelCells   = 22  // before a piece map
	rateCells    = 30  // behind a piece map
)

// Lines draws torrents in order into at most Height lines of at most Width
// cells. If there is room, each torrent has its piece map and its peers; if
// not, fewer lines.
func Lines(torrents []*kouzui.Status, c Canvas) []string {
	c.Width = max(c.Width, narrowest)
	for _, draw := range []func(*kouzui.Status, Canvas) []string{withPeers, withMap, compact} {
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

// compact draws a torrent in one line.
func compact(p *kouzui.Status, c Canvas) []string {
	return []string{fmt.Sprintf("%s %6s %s  %s", c.bar(p, narrowestBar), percent(p), state(p, c), name(p))}
}

// withMap draws a torrent without its peers.
func withMap(p *kouzui.Status, c Canvas) []string {
	if counting(p) {
		return compact(p, c)
	}
	facts := facts(p)
	lines := []string{
		c.bold(name(p)) + "  " + state(p, c),
		fmt.Sprintf("%s %6s  %s", c.bar(p, min(widestBar, max(narrowestBar, c.Width-besideBar))), percent(p), facts[0]),
		strings.Join(facts[1:], "  "),
	}
	if p.Why != "" {
		lines = append(lines, c.yellow(metainfo.Clean(p.Why, longest)))
	}
	if len(p.Map) > 0 && p.HavePieces < p.Pieces {
		lines = append(lines, c.mapLine("our pieces", p.Map, ""))
	}
	return lines
}

func withPeers(p *kouzui.Status, c Canvas) []string {
	lines := withMap(p, c)
	for i := range p.Top {
		lines = append(lines, c.peer(&p.Top[i]))
	}
	return lines
}

// Line is a torrent in one plain line, without escapes.
func Line(p *kouzui.Status) string {
	line := fmt.Sprintf("%s: %s", name(p), p.State)
	switch {
	case counting(p):
		return line + " " + percent(p)
	case p.State != kouzui.StateStarting:
		line += " " + percent(p) + ", " + strings.Join(facts(p), ", ")
	}
	if p.Why != "" {
		line += ". " + metainfo.Clean(p.Why, longest)
	}
	return line
}

func name(p *kouzui.Status) string { return metainfo.Clean(p.Name, longest) }

// percent is the part that is checked during a check, and else the part that is
// verified.
func percent(p *kouzui.Status) string {
	if counting(p) {
		return units.Percent(int64(p.CheckDone), int64(p.CheckTotal))
	}
	return units.Percent(p.Have, p.Length)
}

// facts are the numbers of a torrent: rates and the time left first.
func facts(p *kouzui.Status) []string {
	rate := fmt.Sprintf("down %s, up %s", units.Rate(p.DownNow), units.Rate(p.UpNow))
	if eta, ok := units.ETA(p.Left, p.DownNow); ok {
		rate += ", " + units.Duration(eta) + " left"
	}
	have := fmt.Sprintf("%s of %s", units.Bytes(p.Have), units.Bytes(p.Length))
	peers := units.Count(p.Peers, "peer")
	if p.Seeds > 0 {
		peers += fmt.Sprintf(" (%s)", units.Count(p.Seeds, "seed"))
	}
	if p.Left > 0 && p.Peers > 0 {
		peers += ", " + unchoking(p.Unchoked)
	}
	list := []string{rate, have, peers, "ratio " + ratio(p)}
	if p.Corrupt > 0 {
		list = append(list, units.Count(p.Corrupt, "corrupt piece"))
	}
	if p.Restarts > 0 {
		list = append(list, units.Count(p.Restarts, "restart"))
	}
	return list
}

// unchoking says how many peers unchoke us, in words that every user knows.
func unchoking(n int) string {
	switch n {
	case 0:
		return "none lets us download"
	case 1:
		return "1 lets us download"
	}
	return fmt.Sprintf("%d let us download", n)
}

// ratio is uploaded by downloaded. A torrent that was complete from the start
// counts as downloaded once.
func ratio(p *kouzui.Status) string {
	fetched := p.Downloaded
	if fetched == 0 {
		fetched = p.Length
	}
	if fetched == 0 {
		return "0.00"
	}
	return fmt.Sprintf("%.2f", float64(p.Uploaded)/float64(fetched))
}

func state(p *kouzui.Status, c Canvas) string {
	switch p.State {
	case kouzui.StateSeeding, kouzui.StateFinishing:
		return c.green(string(p.State))
	case kouzui.StateDiskFull, kouzui.StateRestarting:
		return c.yellow(string(p.State))
	}
	return c.faint(string(p.State))
}

// bar shows percent, in eighths of a cell.
func (c Canvas) bar(p *kouzui.Status, cells int) string {
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

// peer is a line about a peer: its address, its piece map, its rates.
func (c Canvas) peer(p *kouzui.Peer) string {
	rates := "down " + units.Rate(p.DownNow)
	switch up := "up " + units.Rate(p.UpNow); {
	case p.UpNow >= 1 && p.DownNow >= 1:
		rates += ", " + up
	case p.UpNow >= 1:
		rates = up
	}
	switch {
	case p.Flags.Snubbed:
		rates += ", sends nothing"
	case p.Flags.PeerChoking && p.Flags.AmInterested:
		rates += ", chokes us"
	}
	return c.mapLine(p.Addr.String(), p.Map, rates)
}

func (c Canvas) mapLine(label string, cells []uint8, after string) string {
	label = ansi.Truncate(label, labelCells-1, "…")
	label += strings.Repeat(" ", labelCells-ansi.StringWidth(label))
	room := max(c.Width-labelCells-rateCells-1, 8)
	return c.faint(label) + c.green(Map(cells, room)) + " " + c.faint(after)
}

// shades run from no piece to all pieces. Only the first stands for none, and
// only the last for all.
var shades = []rune("·░▒▓█")

// Map draws a piece map (see kouzui.Status) in at most width cells.
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
