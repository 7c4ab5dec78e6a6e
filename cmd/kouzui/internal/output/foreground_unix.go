//go:build unix

package output

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"kouzui/cmd/kouzui/internal/view"
)

// inBackground says that f is a terminal at which another job of the shell
// stands.
func inBackground(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err == nil && group != unix.Getpgrp()
}

// follow draws the screen again when the program goes on after it was stopped,
// as by Ctrl-Z, and when the terminal has another size. SIGTSTP keeps its
// effect: Go cannot give it back once it was taken.
func follow(s *view.Screen) (stop func()) {
	signals := make(chan os.Signal, 8)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGCONT, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case got := <-signals:
				if got == syscall.SIGCONT {
					s.Stopped(func() {})
				} else {
					s.Resized()
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
