//go:build !purego

package digest

import "golang.org/x/sys/cpu"

// kernels are those for which the processor has instructions, the fastest
// first. From how many pieces on each is faster was measured against
// crypto/sha1 with the SHA extensions.
func kernels() (all []kernel) {
	if cpu.X86.HasAVX2 && cpu.X86.HasAVX512VL {
		all = append(all, kernel{"AVX-512", 3, avx512})
	}
	if cpu.X86.HasAVX2 {
		all = append(all, kernel{"AVX2", 5, avx2})
	}
	return all
}

//go:noescape
func avx512(l *lanes, from *[Lanes]*byte, chunks int)

//go:noescape
func avx2(l *lanes, from *[Lanes]*byte, chunks int)
