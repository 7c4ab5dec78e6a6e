package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	library "github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"kouzui/actors/runtime/supervise"
)

// identities returns an identity for each role.
func identities(t *testing.T) (coordinator, worker *Identity) {
	t.Helper()
	now := time.Now()
	a, b, err := NewIdentities(now)
	if err != nil {
		t.Fatal(err)
	}
	if coordinator, err = ReadIdentity(a, Coordinator, now); err != nil {
		t.Fatal(err)
	}
	if worker, err = ReadIdentity(b, Worker, now); err != nil {
		t.Fatal(err)
	}
	return coordinator, worker
}

// childKey is set in the environment of a process that speaks with the end of
// this one, at the address that is its value.
const childKey = "KOUZUI_REMOTE_TEST"

func TestMain(m *testing.M) {
	if address := os.Getenv(childKey); address != "" {
		child(address)
	}
	os.Exit(m.Run())
}

// child is a worker that says hello, and ends when it is told to.
func child(address string) {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	id, err := ReadIdentity(text, Worker, time.Now())
	if err != nil {
		panic(err)
	}
	system := supervise.NewSystem(zerolog.Nop())
	if _, err := Start(system, Config{Listen: "127.0.0.1:0", Identity: id, Open: func(path string) bool { return path == "worker" }}); err != nil {
		panic(err)
	}
	ends := make(chan struct{})
	_, err = system.Root.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.Started:
			c.Request(actor.NewPID(address, "sweep"), wrapperspb.String("hello"))
		case *wrapperspb.StringValue:
			if m.Value == "stop" {
				c.Stop(c.Self())
			} else {
				c.Request(c.Sender(), wrapperspb.String("heard "+m.Value))
			}
		}
	}), "worker")
	if err != nil {
		panic(err)
	}
	<-ends
}

// here is the end of this process. The library sets a variable of gRPC's
// whenever a process begins to listen; so there is one end for all tests.
var here = sync.OnceValues(func() (e end, err error) {
	now := time.Now()
	coordinator, worker, err := NewIdentities(now)
	if err != nil {
		return e, err
	}
	e.workerText = worker
	if e.worker, err = ReadIdentity(worker, Worker, now); err != nil {
		return e, err
	}
	id, err := ReadIdentity(coordinator, Coordinator, now)
	if err != nil {
		return e, err
	}
	e.coordinator, e.heard = id, make(chan any, 10)
	e.system = supervise.NewSystem(zerolog.Nop())
	if e.remote, err = Start(e.system, Config{Listen: "127.0.0.1:0", Identity: id, OwnHost: true, Open: func(path string) bool { return path == "sweep" }}); err != nil {
		return e, err
	}
	e.sweep, err = e.system.Root.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *wrapperspb.StringValue:
			if m.Value == "hello" {
				c.Watch(c.Sender())
				c.Request(c.Sender(), wrapperspb.String("welcome"))
				e.heard <- c.Sender()
			} else {
				e.heard <- m.Value
			}
		case *actor.Terminated:
			e.heard <- m.Why
		}
	}), "sweep")
	return e, err
})

type end struct {
	system              *actor.ActorSystem
	remote              *Remote
	coordinator, worker *Identity
	workerText          []byte
	sweep               *actor.PID
	heard               chan any
}

func thisEnd(t *testing.T) end {
	t.Helper()
	e, err := here()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestActorsOfTwoProcessesSpeakAndWatch(t *testing.T) {
	e := thisEnd(t)
	for name, c := range map[string]struct {
		end func(*exec.Cmd, *actor.PID)
		why actor.TerminatedReason
	}{
		"the actor ends":        {func(_ *exec.Cmd, pid *actor.PID) { e.system.Root.Send(pid, wrapperspb.String("stop")) }, actor.TerminatedReason_Stopped},
		"the process is killed": {func(p *exec.Cmd, _ *actor.PID) { _ = p.Process.Kill() }, actor.TerminatedReason_AddressTerminated},
	} {
		t.Run(name, func(t *testing.T) {
			p := exec.Command(os.Args[0])
			p.Env = append(os.Environ(), childKey+"="+e.remote.Address())
			p.Stdin, p.Stderr = bytes.NewReader(e.workerText), os.Stderr
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = p.Process.Kill()
				_ = p.Wait()
			})
			pid := (<-e.heard).(*actor.PID)
			if m := <-e.heard; m != "heard welcome" {
				t.Fatalf("heard %v", m)
			}
			c.end(p, pid)
			if m := <-e.heard; m != c.why {
				t.Errorf("heard %v, want %v", m, c.why)
			}
		})
	}
}

// TestStrangersGetNoFurther than the handshake, whichever side they pretend to
// be.
func TestStrangersGetNoFurther(t *testing.T) {
	e := thisEnd(t)
	otherCoordinator, otherWorker := identities(t)
	if host, err := e.worker.Probe(t.Context(), e.remote.Address()); err != nil || host != "127.0.0.1" {
		t.Errorf("the worker reaches the sweep from %q: %v", host, err)
	}
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	go func() {
		if conn, err := stranger.Accept(); err == nil {
			_, _, _ = otherCoordinator.server(1).ServerHandshake(conn)
			conn.Close()
		}
	}()
	for name, c := range map[string]struct {
		id *Identity
		at string
	}{
		"a worker of another authority":    {otherWorker, e.remote.Address()},
		"a coordinator, at a coordinator":  {e.coordinator, e.remote.Address()},
		"a worker, at another's":           {e.worker, stranger.Addr().String()},
		"nobody, who only trusts the same": {&Identity{role: Worker, authority: e.worker.authority}, e.remote.Address()},
	} {
		if _, err := c.id.Probe(t.Context(), c.at); !errors.Is(err, ErrStranger) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain, err := net.Dial("tcp", e.remote.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := plain.Read(make([]byte, 100)); err == nil && n > 10 { // at most an alert of TLS
		t.Errorf("who speaks without TLS gets %d bytes", n)
	}
}

// A process that ends in the middle of a handshake is no stranger: another may
// answer at its address.
func TestABrokenHandshakeMayBeTriedAgain(t *testing.T) {
	_, worker := identities(t)
	for name, end := range map[string]func(*net.TCPConn){
		"closed": func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 1<<10)) },
		"reset":  func(c *net.TCPConn) { _ = c.SetLinger(0) },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				end(c.(*net.TCPConn))
				c.Close()
			}
		}()
		if _, err := worker.Probe(t.Context(), l.Addr().String()); err == nil || errors.Is(err, ErrStranger) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// raw is a stream to a process, by one who has a certificate, and no manners.
func raw(t *testing.T, id *Identity, address string) library.Remoting_ReceiveClient {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(id.client()), grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := library.NewRemotingClient(conn).ListProcesses(t.Context(), &library.ListProcessesRequest{}); err == nil {
		t.Error("processes are listed")
	}
	stream, err := library.NewRemotingClient(conn).Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// TestWhoHasACertificateBreaksNothing: each of these would stop an actor, or
// end the process.
func TestWhoHasACertificateBreaksNothing(t *testing.T) {
	e := thisEnd(t)
	for name, b := range map[string]*library.MessageBatch{
		"stop": {TypeNames: []string{"actor.Stop"}, Targets: []*actor.PID{e.sweep}, Envelopes: []*library.MessageEnvelope{{}}},
		"an index beyond": {TypeNames: []string{text}, Targets: []*actor.PID{e.sweep},
			Envelopes: []*library.MessageEnvelope{{TypeId: 9}}},
		"an unknown type": {TypeNames: []string{"no.such"}, Targets: []*actor.PID{e.sweep}, Envelopes: []*library.MessageEnvelope{{}}},
		"spawn": {TypeNames: []string{"remote.ActorPidRequest"}, Targets: []*actor.PID{actor.NewPID(e.remote.Address(), "activator")},
			Envelopes: []*library.MessageEnvelope{{MessageData: data(t, &library.ActorPidRequest{Kind: "x"})}}},
		"too much": {TypeNames: []string{strings.Repeat("x", maxMessage)}},
	} {
		stream := raw(t, e.worker, e.remote.Address())
		if err := stream.Send(batch(b)); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err == nil {
			t.Errorf("%s: answered", name)
		}
	}
	e.system.Root.Send(e.sweep, wrapperspb.String("still there"))
	if m := <-e.heard; m != "still there" {
		t.Errorf("heard %v", m)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	coordinator, worker := identities(t)
	server := coordinator.server(1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	shake := func(id *Identity) (net.Conn, error) {
		go func() {
			if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
				defer conn.Close()
				if c, _, err := id.client().ClientHandshake(context.Background(), string(Coordinator), conn); err == nil {
					_, _ = c.Read(make([]byte, 1)) // until the server closes
				}
			}
		}()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		shaken, _, err := server.Clone().ServerHandshake(conn)
		if err != nil {
			conn.Close()
		}
		return shaken, err
	}
	_, stranger := identities(t)
	if _, err := shake(stranger); err == nil {
		t.Fatal("a stranger is let in")
	}
	first, err := shake(worker) // the stranger has made room
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shake(worker); !errors.Is(err, errFull) {
		t.Errorf("a second connection: %v", err)
	}
	first.Close()
	first.Close()
	second, err := shake(worker)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	second.Close()
}

func TestWhereToListen(t *testing.T) {
	id, _ := identities(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct{ listen, says string }{
		{"127.0.0.1", "missing port"},
		{":7000", "name the one that"},
		{"0.0.0.0:7000", "name the one that"},
		{"[::]:7000", "name the one that"},
		{"127.0.0.1:x", "not a number"},
		{"127.0.0.1:70000", "not a number"},
		{taken.Addr().String(), "in use"},
	} {
		_, err := Start(supervise.NewSystem(zerolog.Nop()), Config{Listen: c.listen, Identity: id})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.listen, err)
		}
	}
}

func TestIdentitiesAreChecked(t *testing.T) {
	now := time.Now()
	coordinator, worker, err := NewIdentities(now)
	if err != nil {
		t.Fatal(err)
	}
	authority := strings.SplitAfter(string(worker), "-----END CERTIFICATE-----\n")
	for name, c := range map[string]struct {
		text string
		role Role
		at   time.Time
		says string
	}{
		"of the other role": {string(coordinator), Worker, now, "not that of a worker"},
		"too old":           {string(worker), Worker, now.Add(Lifetime + time.Hour), "was good until"},
		"of the future":     {string(worker), Worker, now.Add(-2 * skew), "is the clock right"},
		"empty":             {"", Worker, now, "no certificate"},
		"no authority":      {authority[0] + authority[2], Worker, now, "authority is missing"},
	} {
		if _, err := ReadIdentity([]byte(c.text), c.role, c.at); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
