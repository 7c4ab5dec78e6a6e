package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// Each of these breaks one thing that must hold, either in the world or in what
// the checks are told, and the checks must notice it.
var tampered = map[string]struct {
	faults []string
	limit  time.Duration // 0: an hour
	memory Size
	tamper func() *tamper
	says   string // a part of what is to be said
}{
	"a verified piece is not the original": {
		tamper: func() *tamper {
			return &tamper{sent: func(n *node, _ string, m any) any {
				if m, is := m.(*messages.TorrentPiecesVerified); is {
					spoil(n, m.Pieces[0])
				}
				return m
			}}
		},
		says: "differs from the original",
	},
	"what has come is asked for again": {
		tamper: func() *tamper {
			var came []messages.Block
			return &tamper{seen: func(_ string, m any) any {
				switch m := m.(type) {
				case *messages.BlocksArrived:
					came = m.Blocks
				case *messages.RequestBlocks:
					if len(came) > 0 {
						return &messages.RequestBlocks{Blocks: append(came[:1:1], m.Blocks...)}
					}
				}
				return m
			}}
		},
		says: "is asked for",
	},
	"others are asked too without need": {
		tamper: func() *tamper {
			before := map[string]messages.Block{} // by node
			return &tamper{seen: func(to string, m any) any {
				r, is := m.(*messages.RequestBlocks)
				if !is {
					return m
				}
				node, _, _ := strings.Cut(to, "/")
				last, is := before[node]
				before[node] = r.Blocks[len(r.Blocks)-1]
				if is {
					return &messages.RequestBlocks{Blocks: append(r.Blocks[:len(r.Blocks):len(r.Blocks)], last)}
				}
				return m
			}}
		},
		says: "as others are, while nobody is asked for a part of piece",
	},
	"more is asked for than there is memory for": {
		memory: 256 << 10,
		tamper: func() *tamper {
			return &tamper{sent: func(_ *node, to string, m any) any {
				if m, is := m.(*messages.SetMemory); is && strings.HasSuffix(to, "/scheduler") {
					return &messages.SetMemory{Bytes: m.Bytes * 16}
				}
				return m
			}}
		},
		says: "are asked for or held, the memory is for 16",
	},
	"a buffer is not given back": {
		tamper: func() *tamper {
			return &tamper{sent: func(n *node, _ string, m any) any {
				if _, is := m.(*messages.PieceVerified); is {
					kept = append(kept, n.host.Pool.Get())
				}
				return m
			}}
		},
		says: "blocks of payload are still somebody's",
	},
	"a request stays open": {
		tamper: func() *tamper {
			const pieces = 2 * 32 // each is seen when it is sent, and when it is handled
			verified, asked := map[string]int{}, uint32(0)
			return &tamper{seen: func(node string, m any) any {
				switch m := m.(type) {
				case *messages.PeerGone, interface{ Deceased() *actor.PID }:
					return nil
				case *messages.PieceVerified:
					verified[node]++
				case *messages.PeerChoking: // the last one would void what is asked for
					if m.Choking && verified[node] >= pieces {
						return nil
					}
				case *messages.RequestBlocks: // each time, as a choke voids what was asked for before
					asked++
					odd := messages.Block{Piece: m.Blocks[0].Piece, Begin: 5, Length: asked}
					return &messages.RequestBlocks{Blocks: append(m.Blocks[:len(m.Blocks):len(m.Blocks)], odd)}
				}
				return m
			}}
		},
		says: "blocks are still asked for",
	},
	"a connection's credit is lost": {
		tamper: func() *tamper {
			return &tamper{sent: func(_ *node, _ string, m any) any {
				if f, is := m.(*messages.FramesReceived); is && f.Frames[0].Kind == frame.Have {
					return nil
				}
				return m
			}}
		},
		says: "has not got back what it delivered",
	},
	"nobody hears that blocks have come": {
		limit: 5 * time.Minute,
		tamper: func() *tamper {
			return &tamper{sent: func(_ *node, to string, m any) any {
				if _, is := m.(*messages.StoreBlocks); is {
					return nil
				}
				return m
			}}
		},
		says: "it is not complete",
	},
	"a failure is answered otherwise": {
		faults: []string{"panic,actor=*/engine/scheduler,at=2s"},
		tamper: events(func(e *event.Event) []*event.Event {
			if e.Kind == event.Directive && e.Action == event.ActionEscalate {
				e.Action = event.ActionRestart
			}
			return []*event.Event{e}
		}),
		says: "is answered with restart, and should be with escalate",
	},
	"a budget is overspent": {
		faults: []string{"panic,actor=*/engine/choker,at=2s"},
		tamper: events(func(e *event.Event) (list []*event.Event) {
			list = []*event.Event{e}
			for e.Kind == event.Directive && len(list) < 20 {
				list = append(list, e)
			}
			return list
		}),
		says: "is answered with restart, and should be with escalate",
	},
	"a restart comes too early": {
		faults: []string{"panic,actor=*/engine/choker,at=2s"},
		tamper: events(func(e *event.Event) []*event.Event {
			e.Delay *= 2
			return []*event.Event{e}
		}),
		says: "after it failed, and should be",
	},
	"a failure is not answered": {
		faults: []string{"panic,actor=*/engine/choker,at=2s"},
		tamper: events(func(e *event.Event) []*event.Event {
			if e.Kind == event.Directive {
				return nil
			}
			return []*event.Event{e}
		}),
		says: "before its failure was answered",
	},
	"a child outlives its parent": {
		tamper: events(func(e *event.Event) []*event.Event {
			if e.Kind == event.Stopped && strings.HasSuffix(e.Actor, "/keeper") {
				return nil
			}
			return []*event.Event{e}
		}),
		says: "outlive",
	},
	"a child outlives the life that bore it": {
		faults: []string{"panic,actor=*/engine,at=2s"},
		tamper: events(func(e *event.Event) []*event.Event {
			if e.Kind == event.Stopped && strings.HasSuffix(e.Actor, "/choker") {
				return nil
			}
			return []*event.Event{e}
		}),
		says: "outlive the life",
	},
	"a child is born to the dead": {
		tamper: events(func(e *event.Event) []*event.Event {
			if e.Kind == event.Spawned && e.ActorKind == "choker" {
				e.Parent += "-2"
			}
			return []*event.Event{e}
		}),
		says: "who does not live",
	},
	"an actor panics": {
		faults: []string{"panic,actor=*/engine/choker,at=2s"},
		tamper: events(func(e *event.Event) []*event.Event {
			e.Reason = strings.ReplaceAll(e.Reason, "injected fault", "index out of range")
			return []*event.Event{e}
		}),
		says: "panics at",
	},
}

// kept are buffers that are never given back. They stay referenced here,
// because the pool does not count buffers that the garbage collector has freed.
var kept []*buffer.Block

// spoil overwrites a part of a piece that is not under its final name yet.
func spoil(n *node, piece uint32) {
	folder, err := n.host.Disk().OpenFolder(dir)
	if err != nil {
		return
	}
	if f, err := folder.Open(name+".part", true); err == nil {
		f.WriteBlocks([][]byte{make([]byte, 100)}, int64(piece)*n.run.content.torrent.PieceLength, func(error) {})
	}
}

// events changes the events that the judge gets.
func events(change func(*event.Event) []*event.Event) func() *tamper {
	return func() *tamper {
		return &tamper{events: func(e *event.Event) []*event.Event {
			changed := *e
			return change(&changed)
		}}
	}
}

func TestTheJudgeNotices(t *testing.T) {
	play := func(t *testing.T, faults []string, limit time.Duration, memory Size, with *tamper) []error {
		s := &Scenario{
			Content: 2 << 20, Piece: 64 << 10, Payload: PayloadReal, Limit: Time(limit),
			Class: []Class{
				{Name: "seed", Have: 1, Count: 2, Up: 256 << 10, Delay: Time(10 * time.Millisecond)},
				{Name: "leech", Count: 3, Up: 512 << 10, Memory: memory, Faults: faults},
			},
		}
		r, err := Run(s, Options{Seed: 1, tamper: with})
		if err != nil {
			t.Fatal(err)
		}
		return r.Wrong
	}
	for name, one := range tampered {
		t.Run(name, func(t *testing.T) {
			for _, err := range play(t, one.faults, one.limit, one.memory, nil) {
				t.Errorf("of an honest world: %v", err)
			}
			wrong := play(t, one.faults, one.limit, one.memory, one.tamper())
			for _, err := range wrong {
				if strings.Contains(err.Error(), one.says) {
					return
				}
			}
			t.Errorf("nobody says %q, but %v", one.says, wrong)
		})
	}
}
