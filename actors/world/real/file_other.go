//go:build !linux

package real

import "io"

// blocks transfers bufs one by one.
func (f *file) blocks(kind transferKind, bufs [][]byte, off int64) error {
	move := f.os.ReadAt
	if kind == writeVector {
		move = f.os.WriteAt
	}
	for _, b := range bufs {
		n, err := move(b, off)
		if n < len(b) {
			if err == nil {
				err = io.ErrNoProgress
			}
			return err
		}
		off += int64(n)
	}
	return nil
}
