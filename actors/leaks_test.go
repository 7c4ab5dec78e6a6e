package actors_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// noFilesLeft checks, at the end of the test, that no file or socket is open
// that was not at its beginning. Where the system does not list them it checks
// nothing.
func noFilesLeft(t *testing.T) {
	before := openFiles()
	t.Cleanup(func() {
		for _, file := range openFiles() {
			if !slices.Contains(before, file) {
				t.Errorf("%s is still open", file)
			}
		}
	})
}

// openFiles are this process's files and sockets; not what the runtime opens
// once and keeps.
func openFiles() (open []string) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "/proc/") {
			open = append(open, to)
		}
	}
	return open
}
