package remote

import (
	"errors"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	library "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func data(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func batch(b *library.MessageBatch) *library.RemoteMessage {
	return &library.RemoteMessage{MessageType: &library.RemoteMessage_MessageBatch{MessageBatch: b}}
}

// TestGate: what the library would act on without asking, or index with.
func TestGate(t *testing.T) {
	const here, there = "192.0.2.1", "192.0.2.2"
	pid := func(host, id string) *actor.PID { return actor.NewPID(host+":7000", id) }
	// of is a message of that type and data for the actor.
	of := func(target, kind string, m proto.Message) *library.MessageBatch {
		return &library.MessageBatch{
			TypeNames: []string{kind}, Targets: []*actor.PID{pid(there, target)}, Senders: []*actor.PID{pid(here, "worker")},
			Envelopes: []*library.MessageEnvelope{{MessageData: data(t, m), Sender: 1}},
		}
	}
	hello := wrapperspb.String("hello")
	change := func(do func(*library.MessageBatch)) *library.RemoteMessage {
		b := of("sweep", text, hello)
		do(b)
		return batch(b)
	}
	connect := func(c *library.ConnectRequest) *library.RemoteMessage {
		return &library.RemoteMessage{MessageType: &library.RemoteMessage_ConnectRequest{ConnectRequest: c}}
	}
	server := func(address string) *library.RemoteMessage {
		return connect(&library.ConnectRequest{ConnectionType: &library.ConnectRequest_ServerConnection{
			ServerConnection: &library.ServerConnection{Address: address}}})
	}
	for name, c := range map[string]struct {
		message *library.RemoteMessage
		pass    bool
	}{
		"a text":                     {batch(of("sweep", text, hello)), true},
		"a text by nobody":           {change(func(b *library.MessageBatch) { b.Envelopes[0].Sender = 0 }), true},
		"a watch":                    {batch(of("sweep", watch, &actor.Watch{Watcher: pid(here, "worker")})), true},
		"the end of a watch":         {batch(of("sweep", unwatch, &actor.Unwatch{Watcher: pid(here, "worker")})), true},
		"an end":                     {batch(of("sweep", terminated, &actor.Terminated{Who: pid(here, "worker")})), true},
		"a connection":               {server(here + ":1"), true},
		"a connection of another":    {server(there + ":1"), false},
		"a connection from nowhere":  {server("x"), false},
		"a connection of a client":   {connect(&library.ConnectRequest{ConnectionType: &library.ConnectRequest_ClientConnection{}}), false},
		"a connection of no type":    {connect(nil), false},
		"nothing":                    {&library.RemoteMessage{}, false},
		"no batch":                   {batch(nil), false},
		"for a closed actor":         {batch(of("journal", text, hello)), false},
		"spawn by name":              {batch(of("activator", "remote.ActorPidRequest", &library.ActorPidRequest{Kind: "x"})), false},
		"a watch of a closed actor":  {batch(of("journal", watch, &actor.Watch{Watcher: pid(here, "worker")})), false},
		"stop":                       {batch(of("sweep", "actor.Stop", &actor.Stop{})), false},
		"poison":                     {batch(of("sweep", "actor.PoisonPill", &actor.PoisonPill{})), false},
		"an unknown type":            {batch(of("sweep", "no.such", hello)), false},
		"a watch by nobody":          {batch(of("sweep", watch, &actor.Watch{})), false},
		"the end of nobody":          {batch(of("sweep", terminated, &actor.Terminated{})), false},
		"a watch for another host":   {batch(of("sweep", watch, &actor.Watch{Watcher: pid(there, "worker")})), false},
		"an end on another host":     {batch(of("sweep", terminated, &actor.Terminated{Who: pid(there, "worker")})), false},
		"a sender on another host":   {change(func(b *library.MessageBatch) { b.Senders[0].Address = there + ":1" }), false},
		"no sender in its place":     {change(func(b *library.MessageBatch) { b.Senders[0] = nil }), false},
		"no receiver in its place":   {change(func(b *library.MessageBatch) { b.Targets[0] = nil }), false},
		"no message in its place":    {change(func(b *library.MessageBatch) { b.Envelopes[0] = nil }), false},
		"a type beyond":              {change(func(b *library.MessageBatch) { b.Envelopes[0].TypeId = 1 }), false},
		"a type before":              {change(func(b *library.MessageBatch) { b.Envelopes[0].TypeId = -1 }), false},
		"a receiver beyond":          {change(func(b *library.MessageBatch) { b.Envelopes[0].Target = 1 }), false},
		"a receiver before":          {change(func(b *library.MessageBatch) { b.Envelopes[0].Target = -1 }), false},
		"a sender beyond":            {change(func(b *library.MessageBatch) { b.Envelopes[0].Sender = 2 }), false},
		"a sender before":            {change(func(b *library.MessageBatch) { b.Envelopes[0].Sender = -1 }), false},
		"another form":               {change(func(b *library.MessageBatch) { b.Envelopes[0].SerializerId = 1 }), false},
		"headers":                    {change(func(b *library.MessageBatch) { b.Envelopes[0].MessageHeader = &library.MessageHeader{} }), false},
		"a text that cannot be read": {change(func(b *library.MessageBatch) { b.Envelopes[0].MessageData = []byte{0xff} }), false},
		"the second of two": {change(func(b *library.MessageBatch) {
			b.Envelopes = append(b.Envelopes, &library.MessageEnvelope{Target: 7})
		}), false},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gate{open: func(path string) bool { return path == "sweep" }, ownHost: true}
			err := g.check(c.message, here)
			if c.pass != (err == nil) || err != nil && !errors.Is(err, errRefused) {
				t.Errorf("%v", err)
			}
		})
	}
}

// FuzzGate: nothing that can be decoded makes the gate panic.
func FuzzGate(f *testing.F) {
	b, _ := proto.Marshal(batch(&library.MessageBatch{TypeNames: []string{text}, Targets: []*actor.PID{{}}, Envelopes: []*library.MessageEnvelope{{}}}))
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m library.RemoteMessage
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		g := &gate{open: func(string) bool { return true }}
		if g.check(&m, "host") != nil {
			return
		}
		for _, e := range m.GetMessageBatch().GetEnvelopes() { // as the library reads them
			batch := m.GetMessageBatch()
			_, _ = batch.TypeNames[e.TypeId], batch.Targets[e.Target].Id
			if e.Sender > 0 {
				_ = batch.Senders[e.Sender-1].Id
			}
		}
	})
}
