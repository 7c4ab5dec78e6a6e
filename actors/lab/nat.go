package lab

import (
	"time"

	"kouzui/actors/world/sim"
)

// NAT is how the router before each node of a class translates addresses, in
// the words of RFC 4787, see sim.NAT. Without Mapping there is none.
type NAT struct {
	Mapping   string // one of sim.Dependence
	Filtering string // the same; "": as Mapping
	Ports     string // "kept", which "" stands for, or "drawn"
	Lifetime  Time   // of a mapping after something was sent; 0: 2 m
}

const (
	// natLifetime is what RFC 4787 asks for at least. Routers of homes have from
	// 30 s to 5 min.
	natLifetime = 2 * time.Minute

	portsKept, portsDrawn = "kept", "drawn"
)

// check fills in defaults.
func (n *NAT) check() *problem {
	if *n == (NAT{}) {
		return nil
	}
	kinds := []string{string(sim.EndpointIndependent), string(sim.AddressDependent), string(sim.AddressAndPortDependent)}
	if n.Mapping == "" {
		return wrong("nat", "has no mapping")
	}
	if n.Filtering == "" {
		n.Filtering = n.Mapping
	}
	if n.Ports == "" {
		n.Ports = portsKept
	}
	if n.Lifetime == 0 {
		n.Lifetime = Time(natLifetime)
	}
	for _, named := range []struct {
		name  string
		names []string
	}{{n.Mapping, kinds}, {n.Filtering, kinds}, {n.Ports, []string{portsKept, portsDrawn}}} {
		if p := oneOf("nat", named.name, named.names); p != nil {
			return p
		}
	}
	return nil
}

func (n *NAT) host() sim.NAT {
	return sim.NAT{
		Mapping: sim.Dependence(n.Mapping), Filtering: sim.Dependence(n.Filtering),
		Draws: n.Ports == portsDrawn, Lifetime: time.Duration(n.Lifetime),
	}
}
