package lab

import (
	"testing"

	"kouzui/actors/world/sim"
)

const half = `content = "1 MiB"
piece = "64 KiB"
announce = "30s"
[[class]]
name = "seed"
have = 1.0
up = "256 KiB"
[[class]]
name = "open"
count = 3
up = "256 KiB"
[[class]]
name = "home"
count = 4
up = "256 KiB"
nat = { mapping = "endpoint-independent" }
`

// Half of a swarm is behind NAT, where nobody dials them: all complete, and
// none gives another of them a block.
func TestHalfOfASwarmIsBehindNAT(t *testing.T) {
	s, err := Read(half)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Class[2].host(nil, nil).NAT, (sim.NAT{
		Mapping: sim.EndpointIndependent, Filtering: sim.EndpointIndependent, Lifetime: natLifetime,
	}); got != want {
		t.Errorf("%+v", got)
	}
	r, err := Run(s, Options{Seed: 1})
	if err != nil || len(r.Wrong) > 0 {
		t.Fatal(r.Wrong, err)
	}
	if len(r.Times()) != 7 {
		t.Errorf("%d are complete", len(r.Times()))
	}
	class := map[string]string{}
	for _, n := range r.Nodes {
		class[n.Name] = n.Class
	}
	gave := false
	for _, n := range r.Nodes {
		for to, bytes := range n.Given {
			if bytes > 0 && n.Class == "home" {
				gave = true
				if class[to] == "home" {
					t.Errorf("%s has given %s %d bytes", n.Name, to, bytes)
				}
			}
		}
	}
	if !gave {
		t.Error("nobody behind NAT has given anything")
	}
}
