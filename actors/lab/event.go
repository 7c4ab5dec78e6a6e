package lab

import (
	"slices"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/world/sim"
)

// reboot is how long a machine is down if its event does not say.
const reboot = 5 * time.Second

// again repeats an event that has Every set, while any node is not complete.
func (r *run) again(e Event) {
	if e.Every == 0 {
		return
	}
	e.At += e.Every
	r.sim.After(time.Duration(e.Every), func() {
		if r.over || len(r.bares) == 0 && r.coming == 0 && !slices.ContainsFunc(r.nodes, r.owes) {
			return
		}
		r.events++
		r.happen(e)
		r.again(e)
	})
}

// happen begins an event, and schedules its end.
func (r *run) happen(e Event) {
	over := func() { r.events-- }
	if e.Do == "tracker" || e.Do == "partition" {
		r.record.mark(Mark{time.Duration(e.At), time.Duration(e.At + e.For), e.Do, "", ""})
	}
	switch e.Do {
	case "tracker":
		r.tracker.die()
		over = func() { r.events--; r.tracker.comeBack() }
	case "partition":
		r.sim.Partition(func(h *sim.Host) int { return slices.Index(r.sim.Hosts(), h) % 2 })
		over = func() { r.events--; r.sim.Heal() }
	case "reset":
		for _, n := range r.victims(e) {
			n.host.Reset()
			r.record.mark(Mark{time.Duration(e.At), time.Duration(e.At), e.Do, n.name, ""})
		}
	case event.ReasonKill, event.ReasonPowerCut:
		down := time.Duration(e.For)
		if down == 0 {
			down = reboot
		}
		r.strikeBare(e, down)
		for i, n := range r.victims(e) {
			if !r.spares(i + 1) {
				r.strike(n, e.Do, down)
			}
		}
		if len(r.bares) > 0 {
			down = 0 // the end of a run waits for clients alone
		}
		r.sim.After(down, over)
		return
	}
	r.sim.After(time.Duration(e.For), over)
}

// victims draws the nodes that an event concerns, of those whose client runs.
func (r *run) victims(e Event) []*node {
	var list []*node
	for _, n := range r.nodes {
		if n.client != nil && !n.down && !n.gone && (e.Class == "" || e.Class == n.class.Name) {
			list = append(list, n)
		}
	}
	r.rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if e.Count > 0 && e.Count < len(list) {
		list = list[:e.Count]
	}
	return list
}

// strike ends the process of a node, and schedules the next one.
func (r *run) strike(n *node, how string, down time.Duration) {
	n.end(how)
	now := r.sim.Elapsed()
	r.record.mark(Mark{now, now + down, how, n.name, ""})
	r.events++
	r.sim.After(down, func() {
		r.events--
		if r.over {
			return
		}
		n.host.Boot()
		if how == event.ReasonPowerCut {
			r.forget(n)
		}
		r.sim.Begin(&sim.Leg{From: &sim.Leg{At: n.outage.since, Host: n.name}, At: r.sim.Elapsed(), Host: n.name, What: sim.Down})
		n.start()
	})
}
