package outfile

import "io/fs"

// noFollow is not known to Windows, where only administrators make links.
const noFollow = 0

// names is 1: package os does not tell.
func names(fs.FileInfo) int { return 1 }
