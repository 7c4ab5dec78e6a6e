package demo

import (
	"fmt"
	"kouzui"
	"path/filepath"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/messages"
)

// breakSomething makes one actor panic: that of the connection which brings a
// downloader the most.
func (d *demo) breakSomething(c *client, p *kouzui.Status) {
	if d.healing != nil || float64(p.Have) < killAt*float64(p.Length) {
		return
	}
	for _, peer := range p.Top {
		if peer.Flags.Inbound {
			continue // only the side that has dialled dials again
		}
		path, ok := findPeer(c.client.Tree().Snapshot(), peer.Key)
		if !ok || c.client.Tree().Kill(path, "killed by the demo") != nil {
			continue
		}
		d.healing = &healing{client: c, path: path, key: peer.Key, addr: peer.Addr.String()}
		d.Say("The demo makes an actor of %s panic: its connection to %s.", c.name, peer.Addr)
		return
	}
}

func findPeer(nodes []supervise.Node, key messages.PeerKey) (path string, ok bool) {
	name := fmt.Sprintf("peer-%d", key)
	for _, n := range nodes {
		if filepath.Base(n.Path) == name {
			return n.Path, true
		}
	}
	return "", false
}

// healing follows an actor that was killed until it works again.
type healing struct {
	client *client
	path   string
	key    messages.PeerKey
	addr   string
	told   bool
}

// observe tells what happened to the actor, once the peer is connected again.
func (h *healing) observe(c *client, p *kouzui.Status, out *output.Output) {
	if h == nil || h.told || c != h.client {
		return
	}
	events := h.client.recent.Events()
	restarted := restartOf(events, h.path)
	if restarted == nil {
		return
	}
	for _, peer := range p.Top {
		if peer.Key == h.key && p.At.After(restarted.Time) {
			h.told = true
			for _, line := range timeline(events, h.path) {
				out.Say("%s", line)
			}
			out.Say("  now       the peer at %s is connected again, and the download continues", h.addr)
			return
		}
	}
}

func restartOf(events []*event.Event, path string) *event.Event {
	for _, e := range events {
		if e.Actor == path && e.Kind == event.Restarted {
			return e
		}
	}
	return nil
}

// timeline tells what happened to the actor at path, a line for each event.
// Times count from its first failure.
func timeline(events []*event.Event, path string) []string {
	parts := strings.Split(path, "/")
	lines := []string{"What happened to " + path + ":"}
	var began time.Time
	for _, e := range events {
		if e.Actor != path {
			continue
		}
		if began.IsZero() && (e.Kind == event.Fault || e.Kind == event.Failed) {
			began = e.Time
		}
		if text := happened(e, parts); text != "" && !began.IsZero() {
			lines = append(lines, fmt.Sprintf("  +%-8s %s", e.Time.Sub(began).Round(time.Millisecond), text))
		}
	}
	return lines
}

func happened(e *event.Event, parts []string) string {
	switch e.Kind {
	case event.Failed:
		return fmt.Sprintf("incarnation %d failed: %s", e.Incarnation, e.Reason)
	case event.Directive:
		supervisor := "the guardian"
		if len(parts) > 1 {
			supervisor = "the supervisor " + parts[len(parts)-2]
		}
		if e.Action != event.ActionRestart {
			return fmt.Sprintf("%s decides to %s it", supervisor, e.Action)
		}
		return fmt.Sprintf("%s decides to %s it after %s (attempt %d, strategy %s)", supervisor, e.Action, e.Delay.Round(time.Millisecond), e.Attempt, e.Strategy)
	case event.Restarted:
		return fmt.Sprintf("incarnation %d runs, and takes the %s that waited", e.Incarnation, units.Count(e.Kept, "message"))
	case event.Stopped:
		return fmt.Sprintf("incarnation %d stopped: %s", e.Incarnation, e.Reason)
	}
	return ""
}
