//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"kouzui/cmd/internal/shaped"
	"kouzui/cmd/interop/counterpart"
)

const (
	kib = 1 << 10
	mib = 1 << 20

	// contentLength and pieceLength are of the torrent of every swarm.
	contentLength = 32 * mib
	pieceLength   = 256 * kib

	// mbit is bytes a second.
	mbit = 1_000_000 / 8
	// seedUp is the rate of the seed, and usualUp that of a leecher.
	seedUp, usualUp = 8 * mbit, 8 * mbit
	// down is the rate at which each node can receive.
	down = 40 * mbit
	// leechers is how many nodes download.
	leechers = 16
)

// swarm is a number of leechers that want the content of one seed.
type swarm struct {
	name   string
	title  string
	within time.Duration // they come one by one in the course of this
	leave  bool          // they leave when they are complete; else they seed
	up     []int64       // their rates, in turn
	hidden bool          // teams take part whose seed hides what it has
}

var swarms = []swarm{
	{name: "crowd", title: "Sixteen who come at once", up: []int64{usualUp}, hidden: true},
	{name: "staggered", title: "Sixteen who come one by one, and leave when they are complete", within: 30 * time.Second, leave: true, up: []int64{usualUp}},
	{name: "hetero", title: "Eight with a slow uplink and eight with a fast one", up: []int64{2 * mbit, 16 * mbit}},
}

// rate is how much the leecher of this number can send in a second.
func (s swarm) rate(leecher int) int64 { return s.up[leecher%len(s.up)] }

// links are those of the seed and of all leechers.
func (s swarm) links() []shaped.Link {
	links := []shaped.Link{{Up: seedUp, Down: down}}
	for i := range leechers {
		links = append(links, shaped.Link{Up: s.rate(i), Down: down})
	}
	return links
}

// arrival is when the leecher of this number comes, from the begin on.
func (s swarm) arrival(leecher int) time.Duration {
	return s.within / leechers * time.Duration(leecher)
}

// bound is the time within which nobody could distribute the content: the seed
// has to send it once, and all together have to send it to each leecher.
func (s swarm) bound() time.Duration {
	all := int64(seedUp)
	for i := range leechers {
		all += s.rate(i)
	}
	seconds := max(float64(contentLength)/seedUp, float64(leechers)*contentLength/float64(all))
	return time.Duration(seconds * float64(time.Second))
}

// of are those of the teams that play the swarm.
func (s swarm) of(teams []team) []team {
	return slices.DeleteFunc(slices.Clone(teams), func(t team) bool { return t.hides && !s.hidden })
}

// team is the clients of a swarm.
type team struct {
	name, kind string // of several builds of Kouzui, kind is what they all are
	seed       member
	leechers   []member // in turn
	hides      bool     // the seed hides what it has (BEP 16)
	simulator  string   // the kouzui that simulates the team; or ""
	earlier    bool     // another kouzui follows, which is the one that counts
}

// seeds is how often a swarm is simulated.
const seeds = 10

// rounds is how often the team plays a swarm.
func (t team) rounds() int {
	if t.simulator != "" {
		return seeds
	}
	return *rounds
}

// member is one client of a team.
type member struct {
	client  counterpart.Client
	version string
}

// teamsOf are the teams that can be made with what is installed, and the
// program whose tracker all of them use. Builds are paths of a kouzui, each
// with flags after it; the last of them simulates its team, too.
func teamsOf(builds string) (teams []team, tracker string, err error) {
	list, err := counterpart.Builds(builds)
	if err != nil {
		return nil, "", err
	}
	libtorrent, libtorrentThere := installed("libtorrent")
	aria2, aria2There := installed("aria2")
	for i, b := range list {
		ours, there := version(counterpart.Kouzui(b.Path, b.Flags...))
		if !there {
			continue
		}
		earlier := i < len(list)-1
		name := func(kind string) string {
			if len(list) > 1 || b.Named {
				return strings.Replace(kind, "kouzui", b.Name, 1)
			}
			return kind
		}
		teams = append(teams, team{name: name("kouzui"), kind: "kouzui", seed: ours, leechers: []member{ours}, earlier: earlier})
		if !earlier {
			teams = append(teams, team{name: name("kouzui" + inSilico), kind: "simulated", seed: ours, simulator: b.Path})
		}
		if hides(b.Path) {
			secret := team{name: name("kouzui" + hiding), kind: "kouzui-hidden", seed: ours, leechers: []member{ours}, hides: true, earlier: earlier}
			secret.seed.client = counterpart.Kouzui(b.Path, append(slices.Clone(b.Flags), superSeed)...)
			teams = append(teams, secret)
		}
		if libtorrentThere {
			teams = append(teams, team{name: name("kouzui and libtorrent"), kind: "mixed", seed: ours, leechers: []member{ours, ours, libtorrent, libtorrent}, earlier: earlier})
		}
	}
	if libtorrentThere {
		teams = append(teams,
			team{name: "libtorrent", kind: "libtorrent", seed: libtorrent, leechers: []member{libtorrent}},
			team{name: "libtorrent" + hiding, kind: "libtorrent-hidden", seed: libtorrent, leechers: []member{libtorrent}, hides: true})
	}
	if aria2There {
		teams = append(teams, team{name: "aria2", kind: "aria2", seed: aria2, leechers: []member{aria2}})
	}
	return teams, list[0].Path, nil
}

// hiding and inSilico end the names of teams whose seed hides what it has, and
// that are simulated.
const hiding, inSilico = ", super-seeding", ", simulated"

// superSeed is the flag that has a kouzui hide what it has.
const superSeed = "--super-seed"

func hides(kouzui string) bool {
	help, _ := exec.Command(kouzui, "seed", "--help").CombinedOutput()
	return strings.Contains(string(help), superSeed)
}

func installed(name string) (member, bool) {
	i := slices.IndexFunc(counterpart.Clients, func(c counterpart.Client) bool { return c.Name == name })
	return version(counterpart.Clients[i])
}

func version(c counterpart.Client) (member, bool) {
	v, err := c.Version()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchswarm: left out:", err)
	}
	return member{c, v}, err == nil
}
