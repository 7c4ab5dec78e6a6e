//go:build linux

package counterpart

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Usage is what a process has used since its start.
type Usage struct {
	CPU       time.Duration // user and system, all threads
	Resident  int64         // bytes of memory, mapped files included, now
	Peak      int64         // the same, at most
	Anonymous int64         // bytes of it that map no file, now
}

// Usage asks the kernel. Of a process that has ended it returns nothing.
func (p *Process) Usage() (u Usage) {
	folder := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	// The name, which may hold anything, ends with the last parenthesis; of what
	// follows it, user and system time are the 12th and 13th.
	stat, _ := os.ReadFile(folder + "stat")
	if fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]); len(fields) > 12 {
		const tick = time.Second / 100 // USER_HZ, everywhere
		user, _ := strconv.ParseInt(string(fields[11]), 10, 64)
		system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
		u.CPU = time.Duration(user+system) * tick
	}
	status, _ := os.ReadFile(folder + "status")
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
	return u
}
