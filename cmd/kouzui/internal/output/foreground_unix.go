//go:build unix

package output

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kouzui/cmd/kouzui/internal/view"
)

// inBackground says that f is a terminal at which another job of the shell
// stands.
func inBackground(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err == nil && group != unix.Getpgrp()
}

// follow draws the screen again when the terminal has another size, and when
// the program goes on after it was stopped. The stop by Ctrl-Z waits until what
// is being drawn is whole. What the parent has ignored stays ignored.
func follow(s *view.Screen) (stop func()) {
	continued, others := make(chan os.Signal, 1), make(chan os.Signal, 8)
	done := make(chan struct{})
	signal.Notify(continued, syscall.SIGCONT)
	signal.Notify(others, syscall.SIGWINCH)
	if !ignored(syscall.SIGTSTP) && !ignored(stopSignal) {
		signal.Notify(others, syscall.SIGTSTP)
	}
	go func() {
		for {
			select {
			case <-continued:
				s.Stopped(func() {}) // by a signal that nobody can take
			case got := <-others:
				if got == syscall.SIGTSTP {
					s.Stopped(func() { stopHere(continued) })
				} else {
					s.Resized()
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(continued)
		signal.Stop(others)
		close(done)
	}
}

// stopSignal does to this program what SIGTSTP does to one that does not take
// SIGTSTP: Go cannot give that effect back. Like SIGTSTP, and unlike SIGSTOP,
// it does nothing where no shell could let the program go on.
const stopSignal = syscall.SIGTTOU

// continueTimeout is how long after a stop SIGCONT may take to come through the
// runtime. It never comes if there was no stop.
const continueTimeout = 100 * time.Millisecond

// stopHere stops the program, and returns when it goes on.
func stopHere(continued <-chan os.Signal) {
	select {
	case <-continued: // of an earlier stop
	default:
	}
	raise(stopSignal)
	select {
	case <-continued:
	case <-time.After(continueTimeout):
	}
}
