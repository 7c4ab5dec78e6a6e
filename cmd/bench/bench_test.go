//go:build linux

package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kouzui/cmd/interop/counterpart"
)

func named(kind, name string) participant {
	return participant{Client: counterpart.Client{Name: name}, kind: kind}
}

func TestClientTable(t *testing.T) {
	seed := scenario{seeds: true}
	r := &report{
		part:    part{scenarios: []scenario{seed}},
		clients: []participant{named("kouzui", "kouzui"), named("aria2", "aria2"), named("rtorrent", "rtorrent"), named("libtorrent", "libtorrent")},
		runs: []Run{
			{Seed: true, Client: "aria2", CPU: 1, Wall: 2, Resident: 9 * mib, Anonymous: 2 * mib},
			{Seed: true, Client: "rtorrent", CPU: 0.8, Wall: 4, Resident: 90 * mib, Anonymous: mib},
			{Seed: true, Client: "kouzui", CPU: 0.5, Wall: 1, Resident: 30 * mib, Anonymous: 20 * mib},
			{Seed: true, Client: "kouzui", CPU: 0.3, Wall: 1, Resident: 32 * mib, Anonymous: 20 * mib},
			{Seed: false, Client: "libtorrent", CPU: 0.1, Wall: 1},
		},
	}
	const want = `
| seed     |        CPU s/GiB | ÷ best other | wall s | ÷ best other | resident MiB | anonymous MiB |
|----------|-----------------:|-------------:|-------:|-------------:|-------------:|--------------:|
| kouzui   | 0.40 (0.30–0.50) |         0.50 |   1.00 |         0.50 |   31 (30–32) |            20 |
| rtorrent |             0.80 |         1.00 |   4.00 |         2.00 |           90 |             1 |
| aria2    |             1.00 |         1.25 |   2.00 |         1.00 |            9 |             2 |
`
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), clientTable(r)); diff != "" {
		t.Error(diff)
	}
}

func TestAcross(t *testing.T) {
	scenarios := []scenario{{name: "small"}, {name: "large"}}
	r := &report{
		clients: []participant{named("kouzui", "before"), named("kouzui", "after"), named("kouzui-traced", "traced"), named("aria2", "aria2"), named("rtorrent", "rtorrent")},
		runs: []Run{
			{Scenario: "small", Client: "before", CPU: 3}, {Scenario: "large", Client: "before", CPU: 2},
			{Scenario: "small", Client: "after", CPU: 2}, {Scenario: "large", Client: "after", CPU: 1},
			{Scenario: "large", Client: "aria2", CPU: 4},
		},
	}
	// No other client ran the small scenario: there, the first client is the
	// measure.
	const with = `
| download, CPU s/GiB | small | large | small ÷ large |
|---------------------|------:|------:|--------------:|
| before              |  3.00 |  2.00 |          1.50 |
| after               |  2.00 |  1.00 |          2.00 |
| aria2               |     - |  4.00 |             - |
| before ÷ best other |  1.00 |  0.50 |               |
| after ÷ best other  |  0.67 |  0.25 |               |
`
	if diff := cmp.Diff(strings.TrimPrefix(with, "\n"), r.across(cpu, scenarios, [2]int{0, 1})); diff != "" {
		t.Error(diff)
	}
}

// TestPieceTables: a direction without scenarios has no tables, and what has no
// pieces of 1 MiB is compared with nothing.
func TestPieceTables(t *testing.T) {
	r := &report{
		part:    part{scenarios: []scenario{{name: "64 KiB", piece: 64 * kib}, {name: "4 MiB", piece: 4 * mib}, {name: "16 MiB", piece: 16 * mib}}},
		clients: []participant{named("kouzui", "kouzui")},
		runs:    []Run{{Scenario: "64 KiB", Client: "kouzui", CPU: 3}, {Scenario: "4 MiB", Client: "kouzui", CPU: 2}},
	}
	const want = `
| download, CPU s/GiB | 64 KiB | 4 MiB | 16 MiB |
|---------------------|-------:|------:|-------:|
| kouzui              |   3.00 |  2.00 |      - |

`
	if got := pieceTables(r); !strings.HasPrefix("\n"+got, want) || strings.Contains(got, "seed") {
		t.Error(got)
	}
}

func TestNeed(t *testing.T) {
	p := part{scenarios: []scenario{
		{piece: mib, share: 1, downloaders: 1},
		{piece: mib, share: 1, downloaders: 1, seeds: true}, // the same content
		{piece: 4 * mib, share: 2, downloaders: 4},
		{piece: mib, share: 1, downloaders: 1, disk: true},
	}}
	if got, want := p.need(8, false), int64(8+4+4*4); got != want {
		t.Errorf("in memory %d, want %d", got, want)
	}
	if got, want := p.need(8, true), int64(8+8); got != want {
		t.Errorf("on a disk %d, want %d", got, want)
	}
}

func TestClassify(t *testing.T) {
	tests := []struct{ stack, want string }{
		{"linux.Syscall6 syscall.pwritev kouzui/actors/world/real.(*file).call kouzui/actors/store/hasher.(*hasher).Receive", files},
		{"linux.Syscall6 kouzui/actors/world/real.(*readv).read net.(*rawConn).Read kouzui/actors/world/real.(*reader).run", sockets},
		{"kouzui/wire/digest.avx512 kouzui/actors/store/hasher.(*hasher).Receive kouzui/actors/runtime/supervise.(*shell).Receive", hashing},
		{"runtime.memmove kouzui/actors/peer.(*session).piece kouzui/actors/runtime/supervise.(*shell).Receive", ownWork},
		{"runtime.nextFreeFast runtime.mallocgcSmall runtime.newobject kouzui/actors/peer.(*session).piece", messages},
		{"runtime.mallocgc runtime.newobject github.com/asynkron/protoactor-go/internal/queue/mpsc.(*Queue).Push", messages},
		{"runtime.mallocgc runtime.growslice kouzui/wire/frame.(*Decoder).finish kouzui/actors/world/real.(*reader).batch", ownWork},
		{"runtime.mallocgc runtime.growslice kouzui/actors/world/real.(*link).Send kouzui/actors/peer.(*peer).flush", sockets},
		{"runtime.resetForSleep runtime.mcall time.Sleep kouzui/actors/world/real.(*reader).batch", messages},
		{"runtime.futex runtime.goready kouzui/actors/world/real.(*link).Done kouzui/actors/peer.(*peer).Receive", messages},
		{"queue.(*Queue).Push github.com/asynkron/protoactor-go/actor.(*context).Send kouzui/actors/peer.(*peer).Receive", messages},
		{"runtime.futex runtime.notesleep runtime.stopm runtime.findRunnable runtime.schedule runtime.park_m runtime.mcall", idling},
		{"runtime.futex runtime.startm runtime.wakep runtime.resetspinning runtime.schedule runtime.park_m runtime.mcall", messages},
		{"runtime.execute runtime.schedule runtime.goexit0 runtime.mcall", messages},
		{"do_epoll_wait linux.EpollWait runtime.netpoll runtime.findRunnable runtime.schedule runtime.park_m", idling},
		{"runtime.write1 runtime.netpollBreak runtime.wakeNetPoller runtime.(*timer).maybeAdd runtime.resetForSleep runtime.park_m", idling},
		{"runtime.copystack runtime.newstack runtime.morestack", messages},
		{"runtime.lock2 runtime.goschedImpl runtime.gosched_m runtime.mcall", others},
		{"runtime.nanotime time.Now kouzui/actors/runtime/supervise.(*ages).post kouzui/actors/runtime/supervise.(*mailbox).PostUserMessage", tracing},
		{"runtime.mallocgc kouzui/actors/runtime/trace.(*File).line", tracing},
		{"runtime.scanobject runtime.gcDrain runtime.gcBgMarkWorker", others},
		{"runtime.futex runtime.mallocgc runtime.gcAssistAlloc kouzui/actors/peer.(*session).piece", others},
		{"runtime.doInit runtime.main", others},
	}
	for _, tt := range tests {
		if got := classify(strings.Fields(tt.stack)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.stack, got, tt.want)
		}
	}
}

func TestShareTable(t *testing.T) {
	r := &report{
		clients: []participant{named("kouzui", "kouzui"), named("aria2", "aria2")},
		runs: []Run{
			{Client: "kouzui", Spent: map[string]int{files: 60, messages: 40}},
			{Client: "kouzui", Spent: map[string]int{files: 600, messages: 100, hashing: 300}},
			{Client: "kouzui", Spent: map[string]int{files: 60, messages: 20, hashing: 20}},
			{Client: "aria2"},
		},
	}
	for _, want := range []string{"| files                         |             60.0 |\n", "| mailbox, scheduling, messages | 20.0 (10.0–40.0) |\n", "| samples                       |             1200 |\n"} {
		if got := shareTable(r); !strings.Contains(got, want) || strings.Contains(got, "aria2") {
			t.Errorf("%s\nwithout %s, or with aria2", got, want)
		}
	}
}

func TestParseStacks(t *testing.T) {
	const text = `
	ffffffff81a do_epoll_wait
	          47 runtime.futex.abi0
	          48 slices.Grow[go.shape.struct { F int }]

	          47 main.main

`
	want := [][]string{{"do_epoll_wait", "runtime.futex", "slices.Grow[go.shape.struct { F int }]"}, {"main.main"}}
	if diff := cmp.Diff(want, parseStacks(text)); diff != "" {
		t.Error(diff)
	}
}

// Within a section, what a Run says of its scenario must identify the scenario.
func TestScenariosDiffer(t *testing.T) {
	for _, p := range parts {
		seen := map[string]bool{}
		for _, s := range p.scenarios {
			if what := s.direction() + " " + s.name; seen[what] {
				t.Errorf("%s: two scenarios are %q", p.name, what)
			} else {
				seen[what] = true
			}
		}
	}
}

func TestKouzuis(t *testing.T) {
	names := func(builds string) (all []string, err error) {
		found, err := kouzuis(builds)
		for _, p := range found {
			all = append(all, p.kind+": "+p.Name)
		}
		return all, err
	}
	tests := []struct {
		builds string
		want   []string
		err    string
	}{
		{"/bin/true", []string{"kouzui: kouzui", "kouzui-traced: kouzui-traced"}, ""},
		{"/bin/true,/bin/true --memory 8M", []string{
			"kouzui: /bin/true", "kouzui-traced: /bin/true-traced",
			"kouzui: /bin/true --memory 8M", "kouzui-traced: /bin/true --memory 8M-traced",
		}, ""},
		{"old=/bin/true --memory=8M", []string{"kouzui: old", "kouzui-traced: old-traced"}, ""},
		{"/bin/true,", nil, `-kouzui "/bin/true,": a build without a path`},
	}
	for _, tt := range tests {
		got, err := names(tt.builds)
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %v, want %q", tt.builds, err, tt.err)
		} else if diff := cmp.Diff(tt.want, got); err == nil && diff != "" {
			t.Errorf("%s: %s", tt.builds, diff)
		}
	}
}

func TestReserve(t *testing.T) {
	const size = 3*chunk - 1
	memory, err := fillPages(size)
	if err != nil {
		t.Fatal(err)
	}
	onDisk, err := fillCache(t.TempDir(), size)
	if err != nil {
		t.Fatal(err)
	}
	file := onDisk.(*cache)
	for _, tt := range []struct{ size, chunks int64 }{{3 * chunk, 3}, {2*chunk + 1, 2}, {chunk, 1}, {chunk, 1}, {-1, 0}, {-1, 0}} {
		memory.shrink(tt.size)
		onDisk.shrink(tt.size)
		if got := int64(len(*memory.(*pages))); got != tt.chunks {
			t.Errorf("of pages %d are left of %d bytes, want %d", got, tt.size, tt.chunks)
		}
		if info, err := file.file.Stat(); tt.chunks > 0 && (err != nil || info.Size() != tt.chunks*chunk) {
			t.Errorf("of a file's cache not %d are left of %d bytes: %v, %v", tt.chunks, tt.size, info, err)
		}
	}
	if _, err := file.file.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file of the cache is open when nothing is left of it: %v", err)
	}
}
