package real

import (
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// backlog is a listening socket whose accepts return what a script says, and
// then block until it is closed.
type backlog struct {
	errs   []error
	closed chan struct{}
}

func (b *backlog) Accept() (net.Conn, error) {
	if len(b.errs) == 0 {
		<-b.closed
		return nil, net.ErrClosed
	}
	err := b.errs[0]
	b.errs = b.errs[1:]
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	conn, _ := net.Pipe()
	return conn, nil
}

func (b *backlog) Close() error   { close(b.closed); return nil }
func (b *backlog) Addr() net.Addr { return &net.TCPAddr{} }

// accepting runs a listener over a script, and returns when it accepted, as
// times since its start, and how it failed.
func accepting(t *testing.T, perSecond int, errs ...error) (at []time.Duration, failures []error) {
	synctest.Test(t, func(t *testing.T) {
		l := &listener{
			socket:  &backlog{errs: errs, closed: make(chan struct{})},
			pace:    newPace(perSecond),
			closing: make(chan struct{}),
			ended:   make(chan struct{}),
		}
		begin := time.Now()
		go l.run(
			func(net.Conn) { at = append(at, time.Since(begin)) },
			func(err error) { failures = append(failures, err) },
		)
		time.Sleep(time.Minute) // of virtual time
		synctest.Wait()
		if len(failures) == 0 {
			l.Close()
			l.Close()
		}
	})
	return at, failures
}

func TestAcceptRate(t *testing.T) {
	at, _ := accepting(t, 3, make([]error, 8)...)
	want := []time.Duration{0, 0, 0, time.Second, time.Second, time.Second, 2 * time.Second, 2 * time.Second}
	if !slices.Equal(at, want) {
		t.Errorf("accepted at %v", at)
	}
	if at, _ := accepting(t, 0, make([]error, 100)...); len(at) != 100 || at[99] != 0 {
		t.Errorf("unbounded: accepted at %v", at)
	}
}

func TestAcceptOutlivesPassingErrors(t *testing.T) {
	out := syscall.EMFILE
	at, failures := accepting(t, 0, syscall.ECONNABORTED, nil, out, out, out, nil)
	ms := time.Millisecond
	if want := []time.Duration{5 * ms, 5*ms + (5+10+20)*ms}; !slices.Equal(at, want) || failures != nil {
		t.Errorf("accepted at %v, failed with %v", at, failures)
	}
	long := slices.Repeat([]error{out}, 60)
	at, _ = accepting(t, 0, append(long, nil)...)
	if len(at) != 1 || at[0] < 50*time.Second || at[0] > 60*time.Second {
		t.Errorf("accepted at %v", at)
	}
}

func TestAcceptFailsOnce(t *testing.T) {
	at, failures := accepting(t, 0, nil, syscall.EINVAL, nil)
	if len(at) != 1 || len(failures) != 1 || !errors.Is(failures[0], syscall.EINVAL) {
		t.Errorf("accepted at %v, failed with %v", at, failures)
	}
}

func TestPaceForgets(t *testing.T) {
	p := newPace(2)
	now := time.Unix(0, 0)
	for i, step := range []struct{ after, want time.Duration }{
		{0, 0}, {300 * time.Millisecond, 700 * time.Millisecond}, {700 * time.Millisecond, 300 * time.Millisecond}, {time.Hour, 0},
	} {
		now = now.Add(step.after)
		if got := max(p.next(now), 0); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}
