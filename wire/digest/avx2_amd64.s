//go:build !purego

#include "textflag.h"

// AVX2 has 16 registers, so the schedule is in memory, behind the hash values.
#define W0  160(AX)
#define W1  192(AX)
#define W2  224(AX)
#define W3  256(AX)
#define W4  288(AX)
#define W5  320(AX)
#define W6  352(AX)
#define W7  384(AX)
#define W8  416(AX)
#define W9  448(AX)
#define W10 480(AX)
#define W11 512(AX)
#define W12 544(AX)
#define W13 576(AX)
#define W14 608(AX)
#define W15 640(AX)

#define KEEP(y, w) VMOVDQU y, w
#define ROL(n, x, y) \
	VPSLLD $n, x, Y7        \
	VPSRLD $(32-n), x, y    \
	VPOR   Y7, y, y

#define CHOOSE(b, c, d) \
	VPXOR c, d, Y6  \
	VPAND b, Y6, Y6 \
	VPXOR d, Y6, Y6
#define PARITY(b, c, d) \
	VPXOR c, d, Y6  \
	VPXOR b, Y6, Y6
#define MAJORITY(b, c, d) \
	VPOR  c, d, Y6  \
	VPAND b, Y6, Y6 \
	VPAND c, d, Y7  \
	VPOR  Y7, Y6, Y6

#define MIX(w, w2, w8, w13) \
	VMOVDQU w, Y8       \
	VPXOR   w2, Y8, Y8  \
	VPXOR   w8, Y8, Y8  \
	VPXOR   w13, Y8, Y8 \
	ROL(1, Y8, Y8)      \
	VMOVDQU Y8, w

#include "lanes_amd64.h"

// func avx2(l *lanes, from *[Lanes]*byte, chunks int)
TEXT ·avx2(SB), NOSPLIT, $0-24
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
