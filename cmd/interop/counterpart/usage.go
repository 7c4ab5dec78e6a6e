//go:build linux

package counterpart

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what a process has used since its start.
type Usage struct {
	CPU       time.Duration // user and system, all threads
	Resident  int64         // bytes of memory, mapped files included, now
	Peak      int64         // the same, at most
	Anonymous int64         // bytes of it that map no file, now
	OpenFiles int           // descriptors, now
	Wakes     int64         // how often threads that live returned from waiting
}

// Usage asks the kernel. For a process that has ended, the result is zero.
func (p *Process) Usage() (u Usage) {
	// The clock of another process's CPU time: what the C library's
	// clock_getcpuclockid returns. It is finer than the ticks in /proc.
	const schedulerClock = 2
	var spent unix.Timespec
	if unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|schedulerClock), &spent) == nil {
		u.CPU = time.Duration(spent.Nano())
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range bytes.Lines(status) {
		if fields := bytes.Fields(line); len(fields) == 3 {
			kib, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			switch string(fields[0]) {
			case "VmRSS:":
				u.Resident = kib << 10
			case "VmHWM:":
				u.Peak = kib << 10
			case "RssAnon:":
				u.Anonymous = kib << 10
			}
		}
	}
	of := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	open, _ := os.ReadDir(of + "fd")
	u.OpenFiles = len(open)
	threads, _ := os.ReadDir(of + "task")
	for _, thread := range threads {
		status, _ := os.ReadFile(of + "task/" + thread.Name() + "/status")
		for line := range bytes.Lines(status) {
			if n, is := bytes.CutPrefix(line, []byte("voluntary_ctxt_switches:")); is {
				wakes, _ := strconv.ParseInt(string(bytes.TrimSpace(n)), 10, 64)
				u.Wakes += wakes
			}
		}
	}
	return u
}
