// Package version tells which build of Kouzui this is.
package version

import (
	"fmt"
	"kouzui"
	"runtime"
	"runtime/debug"
)

// Line is what `kouzui version` prints.
func Line() string {
	return fmt.Sprintf("kouzui %s (%s, %s/%s)", Build(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Build is the version and, if the build knows it, the commit.
func Build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return kouzui.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 10 {
			return kouzui.Version + " " + s.Value[:10]
		}
	}
	return kouzui.Version
}
