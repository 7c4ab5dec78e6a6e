//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kouzui/cmd/internal/chart"
	"kouzui/cmd/internal/distance"
	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

var latency = Scenario{
	Name:  "latency",
	Title: "A far peer",
	About: `A download of 1 GiB from one peer at the other end of a wire of 1 Gbit/s that loses nothing. The two are processes in network
namespaces; between them packets are held back for half of the round trip. TCP's window is allowed 64 MiB on both sides
(` + "`tcp_rmem`, `tcp_wmem`" + `), but for the curves named default, where it is what the kernel allows as it comes (33 and 4 MiB): no
client sends faster than that over one connection. Once it flows is the rate between a third and nine tenths of the content; the
whole includes the start of both TCP and the client. A round trip of 300 ms holds more than the budget of ` + "`--memory`" + `, which is 14 MiB.`,
	Size:  chart.Axis{Label: "round trip in ms", Log: true},
	Sizes: []int{1, 10, 30, 100, 300},
	Panels: []Panel{
		{
			Title: "Once it flows", Axis: chart.Axis{Label: "Mbit a second"},
			Columns: []string{"kouzui from kouzui", "kouzui from libtorrent", "libtorrent from libtorrent", "default, kouzui"},
			Limits:  []chart.Limit{{Name: "the wire", Y: 1000}},
		},
		{
			Title: "The whole download", Axis: chart.Axis{Label: "Mbit a second"},
			Columns: []string{"whole, kouzui from kouzui", "whole, kouzui from libtorrent", "whole, libtorrent from libtorrent", "whole, default"},
			Limits:  []chart.Limit{{Name: "the wire", Y: 1000}},
		},
	},
	Measure: measureLatency,
}

const (
	farContent = 1 << 30
	farRate    = 1e9 / 8  // bytes a second
	farBuffer  = 64 << 20 // bytes: nothing is lost
	farTimeout = 2 * time.Minute
	farPort    = 6881
)

// wideOpen makes TCP windows as large as the wire needs.
var wideOpen = []string{"net.ipv4.tcp_rmem=4096 131072 67108864", "net.ipv4.tcp_wmem=4096 16384 67108864"}

func measureLatency(ctx context.Context, e *Env, milliseconds int) ([]float64, error) {
	content, err := noise.New(e.Dir, "far", 1<<20, []metainfo.FileSpec{{Length: farContent}})
	if err != nil {
		return nil, err
	}
	kouzui, libtorrent := counterpart.Kouzui(e.Kouzui), counterpart.Clients[0]
	var flowing, whole []float64
	for _, d := range []farDownload{
		{seed: kouzui, leech: kouzui, settings: wideOpen},
		{seed: libtorrent, leech: kouzui, settings: wideOpen},
		{seed: libtorrent, leech: libtorrent, settings: wideOpen},
		{seed: kouzui, leech: kouzui},
	} {
		d.dir, d.content, d.roundTrip = e.Dir, content, time.Duration(milliseconds)*time.Millisecond
		f, w, err := d.run(ctx)
		if err != nil {
			return nil, err
		}
		flowing, whole = append(flowing, f), append(whole, w)
	}
	return append(flowing, whole...), nil
}

type farDownload struct {
	seed, leech counterpart.Client
	settings    []string
	dir         string
	content     *noise.Content
	roundTrip   time.Duration
}

// run downloads once, and returns Mbit a second.
func (d farDownload) run(ctx context.Context) (flowing, whole float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, farTimeout)
	defer cancel()
	wire, err := distance.New(distance.Options{RoundTrip: d.roundTrip, Rate: farRate, Buffer: farBuffer, Settings: d.settings})
	if err != nil {
		return 0, 0, err
	}
	defer wire.Close()
	home, err := os.MkdirTemp(d.dir, "far")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(home)

	var tasks [2]counterpart.Task
	for i, name := range []string{"seed", "leech"} {
		tasks[i] = counterpart.Task{
			Torrent: d.content.Torrent, Hash: d.content.Info.InfoHash.String(), Home: filepath.Join(home, name), Dir: filepath.Join(home, "data"),
			Place:  counterpart.Place{Host: wire.Ends[i].Addr.String(), Port: farPort},
			Within: wire.Ends[i].Within, Stay: true,
		}
		if err := os.MkdirAll(tasks[i].Home, 0o700); err != nil {
			return 0, 0, err
		}
	}
	tasks[0].Dir, tasks[0].Seed = d.content.Dir, true
	seed, err := d.seed.Start(ctx, tasks[0])
	if err != nil {
		return 0, 0, err
	}
	defer seed.Stop()
	tasks[1].Peers = []string{seed.Addr}
	begin := time.Now()
	leech, err := d.leech.Start(ctx, tasks[1])
	if err != nil {
		return 0, 0, err
	}
	defer leech.Stop()
	rate := watchFlow(wire)
	err = leech.Complete(ctx)
	took := time.Since(begin)
	flowing = rate() / 1e6
	if err != nil {
		return 0, 0, err
	}
	if n := wire.Dropped.Load(); n > 0 {
		return 0, 0, fmt.Errorf("the wire lost %d packets", n)
	}
	if flowing == 0 {
		return 0, 0, errors.New("the content passed the wire between two looks at it")
	}
	return flowing, 8 * farContent / took.Seconds() / 1e6, nil
}

// watchFlow looks at what the first end of a wire sends. The answer is the rate
// while the content passed from its third to its last tenth, in bits a second.
func watchFlow(wire *distance.Wire) func() float64 {
	type look struct {
		at    time.Time
		bytes int64
	}
	stop, answer := make(chan struct{}), make(chan float64)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var from, to look
		for {
			select {
			case now := <-tick.C:
				l := look{now, wire.Carried(0)}
				if from.bytes == 0 && l.bytes > farContent/3 {
					from = l
				}
				if l.bytes < farContent*9/10 {
					to = l
				}
			case <-stop:
				if to.bytes > from.bytes && from.bytes > 0 {
					answer <- 8 * float64(to.bytes-from.bytes) / to.at.Sub(from.at).Seconds()
				} else {
					answer <- 0
				}
				return
			}
		}
	}()
	return func() float64 { close(stop); return <-answer }
}
