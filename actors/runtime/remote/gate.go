package remote

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/asynkron/protoactor-go/actor"
	library "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// gate looks at all that comes in before the library does, which trusts it:
// it would index by numbers that a stranger chose, stop any actor whom a
// stranger names, spawn actors by name, and end the process where it panics.
// Through the gate pass texts to actors that are open, and the watching and the
// end of actors. Anything else ends the connection.
type gate struct {
	open    func(path string) bool
	ownHost bool
}

// errRefused is what a sender is told whose message does not pass.
var errRefused = errors.New("refused")

// text is the one type of message for actors.
const text = "google.protobuf.StringValue"

func (g *gate) unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.Unimplemented, errRefused.Error())
}

func (g *gate) stream(server any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil { // it would end the process
			err = status.Error(codes.Internal, errRefused.Error())
		}
	}()
	host := ""
	if from, is := peer.FromContext(s.Context()); is {
		host, _, _ = net.SplitHostPort(from.Addr.String())
	}
	return handle(server, &gated{s, g, host})
}

// gated is a stream whose messages pass the gate.
type gated struct {
	grpc.ServerStream
	gate *gate
	host string // of the sender
}

// RecvMsg implements grpc.ServerStream.
func (s *gated) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	m, is := message.(*library.RemoteMessage)
	if !is {
		return status.Error(codes.InvalidArgument, errRefused.Error())
	}
	if err := s.gate.check(m, s.host); err != nil {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return nil
}

// check returns an error unless the message may be read by the library. The
// sender is connected from host.
func (g *gate) check(m *library.RemoteMessage, host string) error {
	switch m := m.MessageType.(type) {
	case *library.RemoteMessage_ConnectRequest:
		c, is := m.ConnectRequest.GetConnectionType().(*library.ConnectRequest_ServerConnection)
		if !is || c.ServerConnection == nil {
			return refused("a connection of an unknown type")
		}
		return g.at(c.ServerConnection.Address, host)
	case *library.RemoteMessage_MessageBatch:
		if m.MessageBatch == nil {
			return refused("a batch without messages")
		}
		return g.checkBatch(m.MessageBatch, host)
	}
	return refused("a message of an unknown type")
}

func (g *gate) checkBatch(b *library.MessageBatch, host string) error {
	for _, pid := range b.Senders {
		if pid == nil {
			return refused("a sender without an address")
		}
		if err := g.at(pid.Address, host); err != nil {
			return err
		}
	}
	for _, e := range b.Envelopes {
		switch {
		case e == nil,
			e.TypeId < 0 || int(e.TypeId) >= len(b.TypeNames),
			e.Target < 0 || int(e.Target) >= len(b.Targets) || b.Targets[e.Target] == nil,
			e.Sender < 0 || int(e.Sender) > len(b.Senders): // 0 stands for none
			return refused("a message whose type, receiver or sender is not in its batch")
		case e.SerializerId != 0 || e.MessageHeader != nil:
			return refused("a message in another form than protobuf's")
		}
		if err := g.checkMessage(b.TypeNames[e.TypeId], e.MessageData, b.Targets[e.Target].Id, host); err != nil {
			return err
		}
	}
	return nil
}

// Names of what the library itself sends about the end of actors.
var (
	watch      = string(proto.MessageName(&actor.Watch{}))
	unwatch    = string(proto.MessageName(&actor.Unwatch{}))
	terminated = string(proto.MessageName(&actor.Terminated{}))
)

func (g *gate) checkMessage(kind string, data []byte, target, host string) error {
	var who *actor.PID
	var err error
	switch kind {
	case text:
		var m wrapperspb.StringValue
		if proto.Unmarshal(data, &m) != nil {
			return refused("a message that cannot be read")
		}
		if !g.open(target) {
			return refused("a message for " + target)
		}
		return nil
	case watch:
		var m actor.Watch
		err, who = proto.Unmarshal(data, &m), m.Watcher
		if !g.open(target) {
			return refused("a watch of " + target)
		}
	case unwatch:
		var m actor.Unwatch
		err, who = proto.Unmarshal(data, &m), m.Watcher
	case terminated:
		var m actor.Terminated
		err, who = proto.Unmarshal(data, &m), m.Who
	default:
		return refused("a message of type " + kind)
	}
	if err != nil || who == nil {
		return refused("a message about no actor")
	}
	return g.at(who.Address, host)
}

// at returns an error unless an actor at address may be answered.
func (g *gate) at(address, host string) error {
	claimed, _, err := net.SplitHostPort(address)
	if err != nil {
		return refused("an address without a port")
	}
	if g.ownHost && claimed != host {
		return refused(fmt.Sprintf("an actor at %s from %s", claimed, host))
	}
	return nil
}

func refused(what string) error { return fmt.Errorf("%w: %.200s", errRefused, what) }
