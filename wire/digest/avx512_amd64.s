//go:build !purego

#include "textflag.h"

// With AVX-512VL there are 16 registers more, which hold the whole schedule, a
// rotation is one instruction, and so is any function of three variables:
// VPTERNLOGD has its truth table as an operand.
#define W0  Y16
#define W1  Y17
#define W2  Y18
#define W3  Y19
#define W4  Y20
#define W5  Y21
#define W6  Y22
#define W7  Y23
#define W8  Y24
#define W9  Y25
#define W10 Y26
#define W11 Y27
#define W12 Y28
#define W13 Y29
#define W14 Y30
#define W15 Y31

#define KEEP(y, w) VMOVDQA32 y, w
#define ROL(n, x, y) VPROLD $n, x, y

#define CHOOSE(b, c, d) \
	VMOVDQA    b, Y6           \
	VPTERNLOGD $0xca, d, c, Y6
#define PARITY(b, c, d) \
	VMOVDQA    b, Y6           \
	VPTERNLOGD $0x96, d, c, Y6
#define MAJORITY(b, c, d) \
	VMOVDQA    b, Y6           \
	VPTERNLOGD $0xe8, d, c, Y6

#define MIX(w, w2, w8, w13) \
	VPXORD     w13, w, w       \
	VPTERNLOGD $0x96, w8, w2, w \
	VPROLD     $1, w, w

#include "lanes_amd64.h"

// func avx512(l *lanes, from *[Lanes]*byte, chunks int)
TEXT ·avx512(SB), NOSPLIT, $0-24
	MOVQ l+0(FP), AX
	MOVQ from+8(FP), SI
	MOVQ chunks+16(FP), CX
	XORQ DX, DX
	CONSTANTS

next:
	CHUNK
	ADDQ $64, DX
	DECQ CX
	JNZ  next
	VZEROUPPER
	RET
