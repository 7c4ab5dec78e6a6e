package command

import (
	"bufio"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ReleaseStartPages gives back the pages of the program's file that were mapped
// until now. A start runs through most of the program once, and a download or a
// seed needs less than half of it afterwards; that half comes back from the
// system's cache as it is touched.
func ReleaseStartPages() {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for m := range mappings(f) {
		if m.file && !m.changed {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
		}
	}
}

// mapping is a range of the process's memory.
type mapping struct {
	start, end uintptr
	file       bool // of a file, for reading alone, and not shared
	changed    bool // some pages differ from the file: a debugger has set breakpoints, a linker has relocated
}

// mappings reads smaps, see proc_pid_smaps(5).
func mappings(smaps io.Reader) iter.Seq[mapping] {
	return func(yield func(mapping) bool) {
		var m mapping
		lines := bufio.NewScanner(smaps)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			switch {
			case len(fields) < 2:
			case fields[0] == "Anonymous:":
				m.changed = fields[1] != "0"
			case fields[0] == "VmFlags:": // the last line of a mapping
				if !yield(m) {
					return
				}
			case !strings.HasSuffix(fields[0], ":"):
				m = parseMapping(fields)
			}
		}
	}
}

// parseMapping reads the first line of a mapping: its addresses, permissions,
// offset, device, inode and path.
func parseMapping(fields []string) (m mapping) {
	start, end, _ := strings.Cut(fields[0], "-")
	from, errStart := strconv.ParseUint(start, 16, 64)
	to, errEnd := strconv.ParseUint(end, 16, 64)
	if errStart != nil || errEnd != nil || len(fields) < 6 {
		return m
	}
	readOnly := strings.HasPrefix(fields[1], "r-") && strings.HasSuffix(fields[1], "p")
	return mapping{start: uintptr(from), end: uintptr(to), file: readOnly && strings.HasPrefix(fields[5], "/")}
}
