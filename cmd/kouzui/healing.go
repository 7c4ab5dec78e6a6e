package main

import (
	"fmt"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/messages"
)

// healing follows an actor that was killed until it works again.
type healing struct {
	client *demoClient
	path   string
	key    messages.PeerKey
	addr   string
	alive  int // peers before
	told   bool
}

// observe tells the story once it has come to its end.
func (h *healing) observe(c *demoClient, p *messages.Progress, out *output) {
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
				out.say("%s", line)
			}
			out.say("  now       connected to %s again, and the download goes on", h.addr)
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

// timeline tells, line by line, what became of the actor at path from its first
// failure on, with times since then.
func timeline(events []*event.Event, path string) []string {
	parts := strings.Split(path, "/")
	lines := []string{"Supervision of " + path + ":"}
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
		supervisor := "its guardian"
		if len(parts) > 1 {
			supervisor = parts[len(parts)-2]
		}
		if e.Action != event.ActionRestart {
			return fmt.Sprintf("%s decides: %s", supervisor, e.Action)
		}
		return fmt.Sprintf("%s decides: %s after %s (attempt %d, strategy %s)", supervisor, e.Action, e.Delay.Round(time.Millisecond), e.Attempt, e.Strategy)
	case event.Restarted:
		return fmt.Sprintf("incarnation %d runs; %d messages had waited for it", e.Incarnation, e.Kept)
	case event.Stopped:
		return fmt.Sprintf("incarnation %d stopped: %s", e.Incarnation, e.Reason)
	}
	return ""
}
