package page

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"
)

// Machine describes the processor, its cores, the memory and the kernel.
func Machine() string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	var info unix.Sysinfo_t
	_ = unix.Sysinfo(&info)
	return fmt.Sprintf("%s, %d cores, %s of memory, Linux %s", processor(), runtime.NumCPU(),
		humanize.IBytes(uint64(info.Totalram)*uint64(info.Unit)), unix.ByteSliceToString(name.Release[:]))
}

// Filesystem is the kind of the filesystem that dir lies in, as the kernel
// calls it.
func Filesystem(dir string) string {
	dir, _ = filepath.Abs(dir)
	mounts, _ := os.ReadFile("/proc/self/mounts")
	at, kind := "", "unknown"
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || len(fields[1]) < len(at) {
			continue
		}
		if rel, err := filepath.Rel(fields[1], dir); err == nil && filepath.IsLocal(rel) {
			at, kind = fields[1], fields[2]
		}
	}
	return kind
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
