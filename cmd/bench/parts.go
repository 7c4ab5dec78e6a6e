//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
)

// part is a section of the page. In each of its rounds every client runs every
// scenario in turn, so all numbers of a section were measured side by side.
type part struct {
	name      string
	rounds    float64 // rounds of this part for each round of -rounds
	scenarios []scenario
	show      func(*report) string
}

// scenario is one kind of transfer: the measured client seeds, or it downloads.
type scenario struct {
	name        string // of its column, in tables that have one for each
	seeds       bool
	piece       int64 // bytes
	share       int64 // the content is -size divided by share
	downloaders int
	disk        bool
	few         bool // only by the clients that take the least CPU
	profiled    bool // only by Kouzui, while perf samples the download
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

var parts = []part{
	{"download", 1, []scenario{{piece: mib, share: 1, downloaders: 1}}, clientTable},
	{"seed", 1, []scenario{{seeds: true, piece: mib, share: 1, downloaders: 1}}, clientTable},
	{"fanout", 0.5, fanout(1, 4, 16), fanoutTables},
	{"pieces", 0.5, slices.Concat(pieces(false), pieces(true)), pieceTables},
	{"disk", 0.5, []scenario{
		{piece: mib, share: 1, downloaders: 1, disk: true},
		{seeds: true, piece: mib, share: 1, downloaders: 1, disk: true},
	}, clientTable},
	{"share", 1, []scenario{{piece: mib, share: 1, downloaders: 1, profiled: true}}, shareTable},
}

func fanout(downloaders ...int) (all []scenario) {
	for _, n := range downloaders {
		all = append(all, scenario{name: fmt.Sprintf("to %d", n), seeds: true, piece: mib, share: 4, downloaders: n, few: true})
	}
	return all
}

func pieces(seeds bool) (all []scenario) {
	for _, size := range []int64{64 * kib, 256 * kib, mib, 4 * mib, 16 * mib} {
		all = append(all, scenario{name: bytesOf(size), seeds: seeds, piece: size, share: 2, downloaders: 1, few: true})
	}
	return all
}

// key identifies a content.
type key struct {
	disk          bool
	piece, length int64
}

func (s scenario) content(size int64) key { return key{s.disk, s.piece, size / s.share} }

func bytesOf(n int64) string { return strings.Replace(humanize.IBytes(uint64(n)), ".0 ", " ", 1) }

func (s scenario) direction() string {
	if s.seeds {
		return "seed"
	}
	return "download"
}

// takes says whether the client runs the scenario in a round.
func (s scenario) takes(c participant, round int) bool {
	if s.profiled {
		return c.ours()
	}
	switch c.kind {
	case "rtorrent":
		return s.seeds // its downloads of large torrents stop near the end
	case "transmission":
		return !s.few && !s.disk && round == 0 // a run takes a minute, nearly all of it waiting
	case "kouzui-traced", "qbittorrent":
		return !s.few
	}
	return true
}

// need is the space that the part takes in memory (-dir) or on the disk
// (-disk). Contents stay for the whole part, downloads for one run.
func (p part) need(size int64, disk bool) (n int64) {
	contents, most := map[key]bool{}, int64(0)
	for _, s := range p.scenarios {
		if s.disk != disk {
			continue
		}
		k := s.content(size)
		if !contents[k] {
			contents[k] = true
			n += k.length
		}
		most = max(most, k.length*int64(s.downloaders))
	}
	return n + most
}
