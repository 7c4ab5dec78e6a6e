package trace

import (
	"strings"

	"github.com/rs/zerolog"

	"kouzui/actors/runtime/event"
)

// Console writes a trace for people: a line for each failure, which tells what
// was done about it, and at the level debug a line for each start and stop of
// an actor.
type Console struct {
	*queue
	log      zerolog.Logger
	failures map[string]*event.Event // for which no directive has come yet, by actor
}

// NewConsole writes to log. Close it after the tree has been shut down.
func NewConsole(log zerolog.Logger) *Console {
	c := &Console{log: log, failures: map[string]*event.Event{}}
	c.queue = newQueue(backlog, c.line, func() {})
	return c
}

// Close waits until everything has been written, but no longer than grace.
func (c *Console) Close() error {
	if !c.close() {
		return ErrUnfinished
	}
	return nil
}

func (c *Console) line(e *event.Event) {
	switch e.Kind {
	case event.Failed, event.Escalated:
		c.failures[e.Actor] = e
	case event.Directive:
		c.answered(e)
	case event.Restarted:
		delete(c.failures, e.Actor)
		c.about(c.log.Debug(), e).Dur("down", e.Down).Int("kept", e.Kept).Int("lost", e.Lost).Msg("actor restarted")
	case event.Stopped:
		delete(c.failures, e.Actor)
		c.about(c.log.Debug(), e).Str("reason", e.Reason).Msg("actor stopped")
	case event.Started:
		c.about(c.log.Debug(), e).Msg("actor started")
	case event.Note:
		c.noted(e)
	case event.DeadLetter:
		c.log.Debug().Str("actor", e.Actor).Str("type", e.MessageType).Msg("message without a receiver")
	case event.Mailbox:
		c.about(c.log.Debug(), e).Int("depth", e.Depth).Dur("waited", e.Waited).Msg("mailbox")
	case event.Dropped:
		c.log.Warn().Int("lost", e.Lost).Msg("supervision events lost")
	}
}

// answered writes the line of a failure when its directive is known. A bug is a
// warning and says where it is; a designed failure is information, unless the
// actor is not restarted.
func (c *Console) answered(d *event.Event) {
	f, ok := c.failures[d.Actor]
	if !ok {
		return
	}
	delete(c.failures, d.Actor)
	level := zerolog.InfoLevel
	if f.Stack != "" || d.Action != event.ActionRestart {
		level = zerolog.WarnLevel
	}
	l := c.about(c.log.WithLevel(level), d).Str("reason", f.Reason).Str("action", string(d.Action))
	if d.Reason != "" {
		l.Str("because", d.Reason)
	}
	if d.Action == event.ActionRestart {
		l.Dur("delay", d.Delay).Int("attempt", d.Attempt)
		if d.BudgetLeft >= 0 {
			l.Int("budget_left", d.BudgetLeft)
		}
	}
	if where, _, ok := strings.Cut(f.Stack, "\n"); ok {
		l.Str("at", where).Str("type", f.MessageType)
	}
	l.Msg("actor failed")
}

// noted writes a note of an actor, or that an actor panicked while it was
// stopping or restarting.
func (c *Console) noted(e *event.Event) {
	if e.Note == event.NotePanic {
		c.about(c.log.Warn(), e).Str("reason", e.Reason).Str("type", e.MessageType).Msg("actor failed while it ended")
		return
	}
	l := c.about(c.log.Info(), e)
	for _, d := range e.Detail {
		detail(l, d)
	}
	l.Msg(e.Note)
}

func (c *Console) about(l *zerolog.Event, e *event.Event) *zerolog.Event {
	return l.Str("actor", e.Actor).Int("incarnation", e.Incarnation)
}
