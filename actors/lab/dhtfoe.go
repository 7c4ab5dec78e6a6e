package lab

import (
	"bytes"
	"net/netip"
	"slices"

	"kouzui/actors/lab/hostile"
	"kouzui/actors/world"
	"kouzui/actors/world/sim"
	"kouzui/messages"
	"kouzui/wire/krpc"
)

// dhtFoe is a host in the DHT that means harm.
type dhtFoe struct {
	run     *run
	script  *hostile.DHTScript
	node    hostile.DHTNode
	host    *sim.Host
	sockets []world.PacketSocket
}

// dhtScript is the script of a class whose nodes attack the DHT; nil: they do
// not.
func (c *Class) dhtScript() *hostile.DHTScript {
	if len(c.Hostile) == 0 {
		return nil
	}
	i := slices.IndexFunc(hostile.DHTScripts, func(s hostile.DHTScript) bool { return s.Name == c.Hostile[0] })
	if i < 0 {
		return nil
	}
	return &hostile.DHTScripts[i]
}

// intrudeDHT adds a foe to the DHT. It attacks what the first bare node
// that announces something has announced, and knows all addresses.
func (r *run) intrudeDHT(c *Class, name string) {
	if r.over {
		return
	}
	i := slices.IndexFunc(r.bares, (*bare).announces)
	if i < 0 {
		return // there is nothing to attack
	}
	f := &dhtFoe{run: r, script: c.dhtScript(), host: r.sim.NewHost(name, c.host(nil, nil))}
	f.node = hostile.DHTNode{Target: krpc.ID(r.bares[i].hash), Rand: r.sim.Rand("foe " + name), Send: f.send, Forge: f.forge}
	for k := range f.script.Sockets {
		f.node.IDs = append(f.node.IDs, f.script.DHTID(f.node.Target, f.node.Rand))
		addr := netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(clientPort+k))
		socket, err := f.host.World().Packets.Bind(addr, func(batch []messages.Datagram) { f.receive(k, batch) }, nil)
		if err != nil {
			r.blameHost(name, "it cannot bind: %v", err)
			return
		}
		f.sockets = append(f.sockets, socket)
	}
	r.dhtFoes = append(r.dhtFoes, f)
	f.act()
}

func (f *dhtFoe) act() {
	if f.run.over {
		return
	}
	f.node.Friends, f.node.Victims = f.node.Friends[:0], f.node.Victims[:0]
	for _, other := range f.run.dhtFoes {
		if other.script == f.script {
			for k, id := range other.node.IDs {
				f.node.Friends = append(f.node.Friends, krpc.Node{ID: id, Addr: netip.AddrPortFrom(other.host.Addr, uint16(clientPort+k))})
			}
		}
	}
	for _, b := range f.run.bares {
		if b.up {
			f.node.Victims = append(f.node.Victims, netip.AddrPortFrom(b.host.Addr, clientPort))
		}
	}
	if len(f.node.Victims) > 0 {
		f.script.Act(&f.node)
	}
	f.run.sim.After(hostile.DHTPace, f.act)
}

func (f *dhtFoe) receive(socket int, batch []messages.Datagram) {
	f.sockets[socket].Done()
	for _, d := range batch {
		q, err := krpc.Parse(d.Data)
		if err == nil && q.Kind == krpc.Reply && f.script.Heard != nil {
			f.script.Heard(&f.node, d.Addr, &q)
		}
		if err != nil || q.Kind != krpc.Query {
			continue
		}
		r := f.script.Answer(&f.node, &q)
		r.Kind, r.Transaction, r.ID = krpc.Reply, q.Transaction, f.node.IDs[socket]
		f.send(socket, d.Addr, r)
	}
}

func encoded(m *krpc.Message) []byte { return bytes.Clone(m.Append(nil)) }

func (f *dhtFoe) send(socket int, to netip.AddrPort, m *krpc.Message) {
	_, _ = f.sockets[socket].Send([]messages.Datagram{{Addr: to, Data: encoded(m)}})
}

func (f *dhtFoe) forge(from, to netip.AddrPort, m *krpc.Message) { f.host.Forge(from, to, encoded(m)) }
