//go:build !amd64 || purego

package digest

func kernels() []kernel { return nil }
