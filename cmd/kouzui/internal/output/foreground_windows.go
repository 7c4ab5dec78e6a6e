package output

import (
	"os"

	"kouzui/cmd/kouzui/internal/view"
)

// inBackground is false: there are no jobs that a shell stops and continues.
func inBackground(*os.File) bool { return false }

func follow(*view.Screen) (stop func()) { return func() {} }
