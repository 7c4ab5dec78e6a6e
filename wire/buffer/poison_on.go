//go:build race || poison

package buffer

// poison says whether released blocks are filled with a pattern.
const poison = true
