//go:build linux && race

package interop

const race = true
