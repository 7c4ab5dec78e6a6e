// Package version tells which build of Kouzui this is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"kouzui/actors"
)

// Line is what `kouzui version` prints.
func Line() string {
	return fmt.Sprintf("kouzui %s (%s, %s/%s)", Build(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Build is the version and, if the build knows it, the commit.
func Build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return actors.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 10 {
			return actors.Version + " " + s.Value[:10]
		}
	}
	return actors.Version
}
