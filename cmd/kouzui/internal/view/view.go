// Package view draws running torrents: as lines that a Screen keeps in place on
// a terminal, and as single plain lines.
package view

import (
	"fmt"
	"kouzui"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/paint"
	"kouzui/wire/metainfo"
)

// Hashing is the state of files that a command hashes itself.
const Hashing kouzui.State = "hashing"

// counting says that pieces are being hashed: there are no rates and no peers.
func counting(p *kouzui.Status) bool {
	return p.State == kouzui.StateChecking || p.State == Hashing
}

// known says that it is known what there is of the data, so that peers can be
// connected.
func known(p *kouzui.Status) bool {
	return !counting(p) && p.State != kouzui.StateStarting && p.State != kouzui.StateMetadata
}

// Torrent is a torrent and how long its download will still take, 0 if that is
// not known.
type Torrent struct {
	*kouzui.Status
	TimeLeft time.Duration
}

// Canvas is what there is to draw on.
type Canvas struct {
	Width, Height int // in cells
	Colour        bool
	// Torrents is how many torrents must find room, if more than those drawn: the
	// others have ended. So what is drawn keeps its form when a torrent ends.
	Torrents int
}

const (
	narrowestBar = 10  // cells
	slim         = 76  // cells below which a line has no bar: the name needs the room
	shortBar     = 16  // cells of a line of its own
	narrowest    = 40  // cells that are drawn even if the terminal has fewer
	widestBar    = 50  // cells
	besideBar    = 54  // cells of percent, rates and the time left
	roomy        = 120 // cells from which on a line has a longer bar
	longest      = 200 // bytes of a name or a reason
	labelCells   = 22  // before a piece map
	sourceCells  = 9   // behind the label, if a line has room for a bar
	rateCells    = 30  // behind a piece map
	mapLines     = 5   // at most of a torrent with its piece map, without its peers
)

// Lines draws torrents in order into at most Height lines of at most Width
// cells. If there is room for all in that form, each has its piece map and as
// many of its peers as fit; if not, each has a line, and the last line sums all
// up.
func Lines(torrents []Torrent, c Canvas) []string {
	if len(torrents) == 0 {
		return nil
	}
	c.Width = max(c.Width, narrowest)
	most := max(len(torrents), c.Torrents)
	var lines []string
	if each := c.Height / most; each >= mapLines {
		for _, t := range torrents {
			lines = append(lines, detailed(t, c, each)...)
		}
		return cut(lines, c.Width)
	}
	shown := len(torrents)
	if shown > c.Height {
		shown = max(c.Height-1, 0)
	}
	for _, t := range torrents[:shown] {
		lines = append(lines, compact(t, c))
	}
	if most > 1 && shown < c.Height {
		lines = append(lines, c.faint(total(torrents, len(torrents)-shown)))
	}
	return cut(lines[:min(len(lines), c.Height)], c.Width)
}

// total sums torrents up, of which some are not shown.
func total(torrents []Torrent, hidden int) string {
	var down, up float64
	for _, t := range torrents {
		down += t.DownNow
		up += t.UpNow
	}
	line := ""
	if hidden > 0 {
		line = fmt.Sprintf("and %d more; ", hidden)
	}
	return line + fmt.Sprintf("%s: down %s, up %s", units.Count(len(torrents), "torrent"), units.Rate(down), units.Rate(up))
}

func cut(lines []string, width int) []string {
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, "…")
	}
	return lines
}

// compact draws a torrent in one line: bar, percent, rate, time left, peers,
// name, and why nothing comes.
func compact(t Torrent, c Canvas) string {
	bar := ""
	switch {
	case c.Width >= roomy:
		bar = c.bar(t.Status, 3*narrowestBar) + " "
	case c.Width >= slim:
		bar = c.bar(t.Status, narrowestBar) + " "
	}
	left, peers := "", ""
	if t.TimeLeft > 0 {
		left = units.Duration(t.TimeLeft)
	}
	if known(t.Status) || fetching(t.Status) && t.Peers > 0 {
		peers = units.Count(t.Peers, "peer")
	}
	line := fmt.Sprintf("%s%6s  %s  %6s  %-9s  %s", bar, percent(t.Status), c.doing(t.Status), left, peers, c.bold(name(t.Status)))
	if t.Why != "" {
		line += "  " + c.warning(metainfo.Clean(t.Why, longest))
	}
	return line
}

// doing is the rate that says most, or else the state.
func (c Canvas) doing(p *kouzui.Status) string {
	const cells = len("down 1023 KiB/s")
	switch {
	case p.State == kouzui.StateDownloading:
		return fmt.Sprintf("%-*s", cells, "down "+units.Rate(p.DownNow))
	case p.UpNow >= 1 && (p.State == kouzui.StateSeeding || p.State == kouzui.StateFinishing):
		return fmt.Sprintf("%-*s", cells, "up "+units.Rate(p.UpNow))
	}
	return state(p, c) + strings.Repeat(" ", max(0, cells-len(p.State)))
}

// detailed draws a torrent with its piece map, and as many of its peers as fit
// into a height.
func detailed(t Torrent, c Canvas, height int) []string {
	if !known(t.Status) && !fetching(t.Status) {
		return []string{compact(t, c)}
	}
	facts := facts(t)
	lines := []string{
		c.bold(name(t.Status)) + "  " + state(t.Status, c),
		fmt.Sprintf("%s %6s  %s", c.bar(t.Status, min(widestBar, max(shortBar, c.Width-besideBar))), percent(t.Status), facts[0]),
		strings.Join(facts[1:], "  "),
	}
	var why []string
	if t.Why != "" {
		why = c.why(t.Why, 1+height-mapLines)
	}
	switch from := sources(t.Status); {
	case from == "":
	case ansi.StringWidth(lines[2]+"  "+from) <= c.Width:
		lines[2] += "  " + from
	case height > mapLines && height >= mapLines+len(why):
		lines = append(lines, from) // without that room, the lines of the peers say it
	}
	lines = append(lines, why...)
	if len(t.Map) > 0 && t.HavePieces < t.Pieces {
		lines = append(lines, c.mapLine("our pieces", "", t.Map, ""))
	}
	for i := range t.Top[:min(len(t.Top), height-len(lines))] {
		lines = append(lines, c.peer(&t.Top[i]))
	}
	return lines
}

// why is the reason in at most so many lines: whole, or cut off in one.
func (c Canvas) why(reason string, most int) []string {
	reason = metainfo.Clean(reason, longest)
	lines := strings.Split(paint.Wrap(reason, c.Width, 2), "\n")
	if len(lines) > most {
		lines = []string{reason}
	}
	for i, line := range lines {
		lines[i] = c.warning(line)
	}
	return lines
}

// Line is a torrent in one plain line, without escapes.
func Line(t Torrent) string {
	p := t.Status
	line := fmt.Sprintf("%s: %s", name(p), p.State)
	switch {
	case counting(p):
		return line + " " + percent(p)
	case known(p), fetching(p):
		if part := percent(p); part != "" {
			line += " " + part
		}
		for _, fact := range facts(t) {
			if fact != "" {
				line += ", " + fact
			}
		}
		if from := sources(p); from != "" {
			line += ", " + from
		}
	}
	if p.Why != "" {
		line += ". " + metainfo.Clean(p.Why, longest)
	}
	return line
}

func name(p *kouzui.Status) string { return metainfo.Clean(p.Name, longest) }

// percent is the part that is checked during a check, the part of the metadata
// that has come while that is fetched, and else the part that is verified, if
// that is known.
func percent(p *kouzui.Status) string {
	switch {
	case fetching(p) && p.Metadata.Size > 0:
		return units.Percent(int64(p.Metadata.Received), int64(p.Metadata.Size))
	case counting(p):
		return units.Percent(int64(p.CheckDone), int64(p.CheckTotal))
	case known(p):
		return units.Percent(p.Goal())
	}
	return ""
}

// facts are the numbers of a torrent: rates and the time left first.
func facts(p Torrent) []string {
	if fetching(p.Status) {
		return fetchingFacts(p.Status)
	}
	rate := fmt.Sprintf("down %s, up %s", units.Rate(p.DownNow), units.Rate(p.UpNow))
	if p.TimeLeft > 0 {
		rate += ", " + units.Duration(p.TimeLeft) + " left"
	}
	got, goal := p.Goal()
	have := fmt.Sprintf("%s of %s", units.Bytes(got), units.Bytes(goal))
	if goal < p.Length {
		have += fmt.Sprintf(" chosen of %s", units.Bytes(p.Length))
	}
	peers := units.Count(p.Peers, "peer")
	var of []string
	if p.Seeds > 0 {
		of = append(of, units.Count(p.Seeds, "seed"))
	}
	if p.Encrypted > 0 {
		of = append(of, fmt.Sprintf("%d encrypted", p.Encrypted))
	}
	if len(of) > 0 {
		peers += fmt.Sprintf(" (%s)", strings.Join(of, ", "))
	}
	if p.Left > 0 && p.Peers > 0 {
		peers += ", " + unchoking(p.Unchoked)
	}
	list := []string{rate, have, peers}
	if fetched := fetched(p.Status); fetched > 0 {
		list = append(list, fmt.Sprintf("ratio %.2f", float64(p.Uploaded)/float64(fetched)))
	}
	if p.Corrupt > 0 {
		list = append(list, units.Count(p.Corrupt, "corrupt piece"))
	}
	if p.Restarts > 0 {
		list = append(list, units.Count(p.Restarts, "restart"))
	}
	return list
}

// sources says how many peers came from where, and how many nodes the DHT
// knows; empty if there are none.
func sources(p *kouzui.Status) string {
	var list []string
	for _, n := range p.Sources {
		if n.Connected > 0 && p.Peers > 0 { // the counts may be a second older than Peers
			list = append(list, fmt.Sprintf("%v %d", n.Kind, n.Connected))
		}
	}
	switch from, nodes := strings.Join(list, ", "), units.Count(p.DHTNodes, "DHT node"); {
	case from == "" && p.DHTNodes == 0:
		return ""
	case from == "":
		return nodes
	case p.DHTNodes == 0:
		return "sources: " + from
	default:
		return "sources: " + from + "; " + nodes
	}
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

// fetched is what uploads are measured by. Of a torrent of which nothing had to
// be downloaded, what is there counts as downloaded once.
func fetched(p *kouzui.Status) int64 {
	if p.Downloaded == 0 {
		return p.Have
	}
	return p.Downloaded
}

func state(p *kouzui.Status, c Canvas) string {
	switch p.State {
	case kouzui.StateSeeding, kouzui.StateFinishing:
		return c.bold(string(p.State))
	case kouzui.StateDiskFull, kouzui.StateRestarting:
		return c.warning(string(p.State))
	}
	return c.faint(string(p.State))
}

// bar shows percent, in eighths of a cell.
func (c Canvas) bar(p *kouzui.Status, cells int) string {
	part, whole := p.Goal()
	switch {
	case counting(p):
		part, whole = int64(p.CheckDone), int64(p.CheckTotal)
	case fetching(p):
		part, whole = int64(p.Metadata.Received), max(int64(p.Metadata.Size), 1)
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
	return "▕" + c.blocks(full) + empty + "▏"
}

// peer is a line about a peer: its address and where we have that from, its
// piece map, its rates.
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
	if p.Encrypted != 0 {
		rates += ", encrypted"
	}
	return c.mapLine(p.Addr.String(), p.Source.Kind.String(), p.Map, rates)
}

func (c Canvas) mapLine(label, source string, cells []uint8, after string) string {
	label = column(label, labelCells)
	if c.Width >= slim {
		label += column(source, sourceCells)
	}
	room := max(c.Width-ansi.StringWidth(label)-rateCells-1, 8)
	return c.faint(label) + c.blocks(Map(cells, room)) + " " + c.faint(after)
}

// column is a text in so many cells, the last of which is blank.
func column(text string, cells int) string {
	text = ansi.Truncate(text, cells-1, "…")
	return text + strings.Repeat(" ", cells-ansi.StringWidth(text))
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

func (c Canvas) blocks(s string) string  { return paint.Paint(c.Colour).Blocks(s) }
func (c Canvas) bold(s string) string    { return paint.Paint(c.Colour).Bold(s) }
func (c Canvas) faint(s string) string   { return paint.Paint(c.Colour).Faint(s) }
func (c Canvas) warning(s string) string { return paint.Paint(c.Colour).Warning(s) }
