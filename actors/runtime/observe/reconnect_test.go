package observe_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// wire is a proxy between a page and the server, whose connections can be cut.
type wire struct {
	net.Listener
	to string

	mu      sync.Mutex
	cut     bool
	conns   []net.Conn
	running sync.WaitGroup
}

func stretch(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	w.running.Go(w.serve)
	t.Cleanup(func() {
		l.Close()
		w.set(true)
		w.running.Wait()
	})
	return w
}

func (w *wire) serve() {
	for {
		near, err := w.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			near.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, near, far)
		if w.cut {
			near.Close()
			far.Close()
		}
		w.mu.Unlock()
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			w.running.Go(func() {
				_, _ = io.Copy(pair[0], pair[1]) // until either side ends
				pair[0].Close()
			})
		}
	}
}

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for _, c := range w.conns {
			c.Close()
		}
		w.conns = nil
	}
}

func TestAPageComesBackAndCatchesUp(t *testing.T) {
	s := newScene(t, "one", "two")
	w := stretch(t, s.base.Host)
	through := url.URL{Scheme: "http", Host: w.Addr().String(), Path: "/", RawQuery: s.base.RawQuery}
	ctx := browse(t, through.String(), 1280, 800)
	do(t, ctx, shows(`document.querySelector('#link').className === 'live'`), visible(row("root/two")))

	w.set(true)
	do(t, ctx, shows(`document.querySelector('#link').className === 'lost'`))
	if err := s.tree.Kill("root/two", "unseen"); err != nil {
		t.Fatal(err)
	}
	w.set(false)
	do(t, ctx,
		shows(`document.querySelector('#link').className === 'live'`),
		shows(`document.querySelector('`+row("root/two")+` .incarnation')?.textContent === '#2'`),
		shows(`document.querySelector('#failures .what')?.textContent === 'injected fault: unseen'`),
	)
	go s.Close() //nolint:errcheck // once more, with its error, at the end
	do(t, ctx, shows(`document.querySelector('#link').textContent === 'the run has ended'`))
}
