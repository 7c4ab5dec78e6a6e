package scheduler

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"
	"github.com/google/go-cmp/cmp"

	"kouzui/messages"
)

var update = flag.Bool("update", false, "rewrite the scenarios under testdata with what happens now")

// TestScenarios plays the files under testdata. Indented lines are what the
// swarm wants sent after the line before them.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			var sc scenario
			for line := range strings.Lines(string(want)) {
				if strings.HasPrefix(line, "\t") {
					continue
				}
				got.WriteString(line)
				words := strings.Fields(line)
				if len(words) == 0 || words[0] == "#" {
					continue
				}
				for _, said := range sc.play(t, words) {
					got.WriteString("\t" + said + "\n")
				}
			}
			if *update {
				if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("-file +now:\n%s", diff)
			}
		})
	}
}

type scenario struct{ *swarm }

func (sc *scenario) play(t *testing.T, words []string) []string {
	t.Helper()
	number := func(i int) int {
		n, err := strconv.Atoi(words[i])
		if err != nil {
			t.Fatalf("%q: %v", words, err)
		}
		return n
	}
	list := func(i int) []uint32 {
		var out []uint32
		for s := range strings.SplitSeq(words[i], ",") {
			n, err := strconv.ParseUint(s, 10, 32)
			if err != nil {
				t.Fatalf("%q: %v", words, err)
			}
			out = append(out, uint32(n))
		}
		return out
	}
	keys := func(i int) (out []messages.PeerKey) {
		for _, k := range list(i) {
			out = append(out, messages.PeerKey(k))
		}
		return out
	}
	who := func() *peer {
		p := sc.byKey[messages.PeerKey(number(1))]
		if p == nil {
			t.Fatalf("%q: no such peer", words)
		}
		return p
	}
	oldest := func(p *peer, n int) (bs []messages.Block) {
		for i := range min(n, p.queue.len()) {
			r := p.queue.at(i)
			bs = append(bs, sc.block(r.a.piece, r.i))
		}
		return bs
	}

	switch words[0] {
	case "torrent": // pieces, blocks a piece
		blocks := int64(number(2))
		sc.swarm = openSwarm(geometryOf(number(1), blocks*BlockSize, blocks*BlockSize), "sequential", 1)
	case "memory": // blocks
		sc.setMemory(int64(number(1)) * BlockSize)
	case "peer": // key, pieces
		have := bitset.New(uint(sc.pieces))
		if words[2] == "all" {
			have = full(sc.pieces)
		} else if words[2] != "none" {
			for _, piece := range list(2) {
				have.Set(uint(piece))
			}
		}
		sc.joinTest(messages.PeerKey(number(1)), have)
	case "got": // key, pieces
		sc.peerHave(who(), list(2))
	case "unchoke": // key, window
		sc.peerChoking(who(), &messages.PeerChoking{Window: number(2)})
	case "choke": // key
		sc.peerChoking(who(), &messages.PeerChoking{Choking: true})
	case "arrive": // key, how many of the oldest requests
		p := who()
		sc.blocksArrived(p, &messages.BlocksArrived{Blocks: oldest(p, number(2)), Window: p.window})
	case "drop": // key, how many of the oldest requests; the peer is snubbed
		p := who()
		sc.requestsDropped(p, &messages.RequestsDropped{Blocks: oldest(p, number(2)), Window: 1, Snubbed: true})
	case "leave": // key
		sc.leave(who())
	case "verify": // piece
		sc.pieceVerified(uint32(number(1)))
	case "corrupt": // piece, contributors
		sc.pieceCorrupt(&messages.PieceCorrupt{Piece: uint32(number(1)), Contributors: keys(2)})
	case "proof": // piece, peers
		sc.blame.proven(&messages.BlameProven{Piece: uint32(number(1)), Peers: keys(2)})
	case "dropped": // piece
		sc.pieceDropped(uint32(number(1)))
	case "spill": // piece, blocks
		sc.blocksSpilled(&messages.BlocksSpilled{Piece: uint32(number(1)), Blocks: number(2)})
	case "full":
		sc.storeFailed(&messages.StoreFailed{Err: errors.New("no space left"), Full: true})
	case "room":
		sc.storeRecovered()
	case "want": // pieces
		if words[1] == "all" {
			sc.setWanted(&messages.SetWanted{})
			break
		}
		pieces := bitset.New(uint(sc.pieces))
		for _, piece := range list(1) {
			pieces.Set(uint(piece))
		}
		sc.setWanted(&messages.SetWanted{Pieces: pieces})
	case "finished":
		sc.storeFinished(sc.have.Clone())
	case "wait": // seconds, tick by tick
		for range number(1) * int(time.Second/tick) {
			sc.now = sc.now.Add(tick)
			sc.planner.timePassed()
		}
	case "show":
		m := sc.progress()
		wanted := ""
		if m.Wanted < m.Pieces {
			wanted = fmt.Sprintf(" (%d wanted, %d bytes left)", m.Wanted, m.Left)
		}
		return []string{
			fmt.Sprintf("%s, %d of %d pieces%s, memory %d of %d blocks, %d free; downloaded %d, wasted %d, corrupt %d",
				m.State, m.HavePieces, m.Pieces, wanted, sc.planner.ledger.memory, sc.planner.budget.limit, sc.planner.ledger.free,
				m.Downloaded/BlockSize, m.Wasted/BlockSize, m.Corrupt),
			"why: " + m.Why,
		}
	default:
		t.Fatalf("unknown word %q", words[0])
	}
	return sc.said()
}

// said is what the shell would send.
func (sc *scenario) said() (out []string) {
	for _, ban := range sc.orders.bans {
		out = append(out, fmt.Sprintf("ban %v: %s", ban.Addr, ban.Reason))
	}
	sc.orders.bans = nil
	for _, piece := range sc.orders.drops {
		out = append(out, fmt.Sprintf("drop %d", piece))
	}
	sc.orders.drops = nil
	for _, p := range sc.orders.peers {
		p.touched = false
		say := func(format string, args ...any) {
			out = append(out, fmt.Sprintf("%d ", p.Key)+fmt.Sprintf(format, args...))
		}
		switch {
		case p.gone:
			continue
		case p.dismissed:
			say("disconnect: %v", p.dismissal)
			continue
		}
		if interested := p.wanted > 0; interested != p.interested {
			p.interested = interested
			say("interested: %v", interested)
		}
		if len(p.cancel) > 0 {
			say("cancel %s", runs(p.cancel))
		}
		if len(p.ask) > 0 {
			say("ask %s", runs(p.ask))
		}
		p.cancel, p.ask = nil, nil
	}
	sc.orders.peers = nil
	return out
}

// runs writes blocks as piece/index, and runs of them as piece/first-last.
func runs(bs []messages.Block) string {
	var out []string
	for i := 0; i < len(bs); {
		j := i + 1
		for j < len(bs) && bs[j].Piece == bs[i].Piece && bs[j].Begin == bs[j-1].Begin+BlockSize {
			j++
		}
		run := fmt.Sprintf("%d/%d", bs[i].Piece, bs[i].Begin/BlockSize)
		if j > i+1 {
			run += fmt.Sprintf("-%d", bs[j-1].Begin/BlockSize)
		}
		out = append(out, run)
		i = j
	}
	return strings.Join(out, " ")
}
