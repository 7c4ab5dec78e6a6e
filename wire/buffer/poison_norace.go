//go:build !race

package buffer

// poison makes uses of released blocks visible.
const poison = false
