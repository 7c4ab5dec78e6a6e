package debugview

import (
	"fmt"

	"kouzui/actors/lab"
	"kouzui/actors/lab/debug"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world/sim"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/traceview"
	"kouzui/wire/metainfo"
)

// Schema is the version of the lines. Keys are added without a new one.
const Schema = "kouzui-debug-1"

// head is what all lines have in common; docs/JSON.md describes them.
type head struct {
	Schema string `json:"schema"`
	Type   string `json:"type"`
}

type positionLine struct {
	head
	Ended    bool     `json:"ended"`
	At       float64  `json:"at_seconds"`
	Next     *float64 `json:"next_seconds"`
	Messages uint64   `json:"messages"`
	Actor    string   `json:"actor,omitempty"`
	Message  string   `json:"message,omitempty"`
	From     string   `json:"from,omitempty"`
	Cause    uint64   `json:"cause,omitempty"`
	Events   uint64   `json:"events"`
	Digest   string   `json:"digest"`
	Wrong    []string `json:"wrong"`
}

func newPosition(p debug.Position) positionLine {
	l := positionLine{
		head: head{Schema, "position"}, Ended: p.Ended, At: p.Elapsed.Seconds(), Messages: p.Messages, Actor: p.Moment.Actor,
		From: p.Moment.From, Cause: p.Moment.Cause, Events: p.Recorded, Digest: fmt.Sprintf("%016x", p.Digest), Wrong: []string{},
	}
	if !p.Ended {
		l.Next = new(p.Next.Seconds())
	}
	if p.Moment.Actor != "" {
		l.Message = debug.Name(p.Moment.Message)
	}
	for _, err := range p.Wrong {
		l.Wrong = append(l.Wrong, exit.OneLine(err))
	}
	return l
}

type nodeLine struct {
	head
	Name        string               `json:"name"`
	Class       string               `json:"class"`
	State       lab.ParticipantState `json:"state"`
	Arrives     float64              `json:"arrives_seconds"`
	Process     int                  `json:"process"`
	Actors      int                  `json:"actors"`
	Restarts    int                  `json:"restarts"`
	Waiting     int                  `json:"waiting"`
	Have        int64                `json:"have_bytes"`
	Connections int                  `json:"connections"`
}

func newNode(p lab.Participant) nodeLine {
	l := nodeLine{head: head{Schema, "participant"}, Name: p.Name, Class: p.Class, State: p.State, Arrives: p.Comes.Seconds(), Have: p.Progress.Have}
	if p.Host != nil {
		l.Process, l.Connections = p.Host.Lives(), len(p.Host.Connections())
	}
	if p.Tree != nil {
		l.Actors, l.Restarts, l.Waiting = count(p.Tree)
	}
	return l
}

type actorLine struct {
	head
	Path        string          `json:"path"`
	Kind        string          `json:"kind"`
	Parent      string          `json:"parent,omitempty"`
	State       supervise.State `json:"state"`
	Incarnation int             `json:"incarnation"`
	Restarts    int             `json:"restarts"`
	Waiting     int             `json:"waiting"`
	LastFailure string          `json:"last_failure,omitempty"`
}

func newActor(n supervise.Node) actorLine {
	return actorLine{
		head: head{Schema, "actor"}, Path: n.Path, Kind: n.Kind, Parent: n.Parent, State: n.State, Incarnation: n.Incarnation,
		Restarts: n.Restarts, Waiting: n.MailboxDepth, LastFailure: metainfo.Clean(n.LastReason, mostWords),
	}
}

type letterLine struct {
	head
	Actor   string `json:"actor"`
	Number  int    `json:"number"`
	Message string `json:"message"`
	From    string `json:"from,omitempty"`
	Cause   uint64 `json:"cause,omitempty"`
	System  bool   `json:"system"`
}

func newLetter(actor string, number int, l sim.Letter) letterLine {
	return letterLine{head{Schema, "letter"}, actor, number, debug.Name(l.Message), l.From, l.Cause, l.System}
}

type valueLine struct {
	head
	Of    string   `json:"of"`
	Field string   `json:"field,omitempty"`
	Lines []string `json:"lines"`
}

func newValue(of, field string, lines []string) valueLine {
	return valueLine{head{Schema, "value"}, of, field, lines}
}

type connectionLine struct {
	head
	Node      string `json:"node"`
	Link      uint64 `json:"link"`
	Other     string `json:"other"`
	Inbound   bool   `json:"inbound"`
	Shaken    bool   `json:"shaken"`
	Queued    int    `json:"queued_frames"`
	Buffered  int64  `json:"buffered_bytes"`
	Flying    int64  `json:"in_flight_bytes"`
	Arrived   int    `json:"arrived_frames"`
	Delivered int    `json:"delivered_batches"`
}

func newConnection(node string, c sim.Connection) connectionLine {
	return connectionLine{head{Schema, "connection"}, node, c.ID, c.Other, c.Inbound, c.Shaken, c.Queued, c.Buffered, c.Flying, c.Arrived, c.Delivered}
}

type dueLine struct {
	head
	At   float64 `json:"at_seconds"`
	Node string  `json:"node,omitempty"`
	By   string  `json:"by,omitempty"`
	What string  `json:"what"`
}

func newDue(d sim.Due) dueLine {
	return dueLine{head{Schema, "due"}, d.At.Seconds(), d.Host, d.By, d.What}
}

type eventLine struct {
	head
	Seq    uint64     `json:"seq"`
	At     float64    `json:"at_seconds"`
	Kind   event.Kind `json:"kind"`
	Actor  string     `json:"actor"`
	Cause  uint64     `json:"cause,omitempty"`
	Origin uint64     `json:"origin,omitempty"`
	Text   string     `json:"text"`
}

func newEvent(e *event.Event) eventLine {
	return eventLine{head{Schema, "event"}, e.Seq, e.Time.Sub(lab.Epoch).Seconds(), e.Kind, e.Actor, e.Cause, e.Origin, traceview.Paint(false).Sentence(e)}
}
