//go:build !linux

package page

import (
	"fmt"
	"runtime"
)

// Machine describes the system and its cores.
func Machine() string {
	return fmt.Sprintf("%s, %d cores, %s", runtime.GOARCH, runtime.NumCPU(), runtime.GOOS)
}
