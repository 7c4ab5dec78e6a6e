// What both kernels share: one chunk of 64 bytes of each of eight pieces.
//
// A register holds the same variable of eight SHA-1s, each in a lane of 32 bits,
// and every instruction takes the same step of all eight:
//
//	Y0 to Y4      a to e of FIPS 180-4, 6.1.2
//	W0 to W15     the last 16 words of the message schedule; the kernel says where
//	Y5 to Y8      for the steps within a round
//	Y11 to Y14    the four constants
//	Y15           the order of bytes that makes big-endian words little-endian
//	AX, SI        the hash values of the lanes, the pointers to the pieces
//	DX, CX        how far these have been read, chunks to go
//
// A kernel defines W0 to W15, KEEP, ROL, CHOOSE, PARITY, MAJORITY and MIX.

// ROW reads 16 bytes of the pieces i and i+4: a row of four words in each half of
// the register. VINSERTI128 from memory costs no shuffle.
#define ROW(i, q, x, y) \
	MOVQ        (8*i)(SI), R8              \
	MOVQ        (8*i+32)(SI), R9           \
	VMOVDQU     (16*q)(R8)(DX*1), x        \
	VINSERTI128 $1, (16*q)(R9)(DX*1), y, y \
	VPSHUFB     Y15, y, y

// QUARTER makes four rows of four words, a row a piece, to a register a word: in
// both halves a 4 by 4 matrix is transposed.
#define QUARTER(q, w0, w1, w2, w3) \
	ROW(0, q, X0, Y0)      \
	ROW(1, q, X1, Y1)      \
	ROW(2, q, X2, Y2)      \
	ROW(3, q, X3, Y3)      \
	VPUNPCKLDQ  Y1, Y0, Y4 \
	VPUNPCKHDQ  Y1, Y0, Y5 \
	VPUNPCKLDQ  Y3, Y2, Y6 \
	VPUNPCKHDQ  Y3, Y2, Y7 \
	VPUNPCKLQDQ Y6, Y4, Y0 \
	VPUNPCKHQDQ Y6, Y4, Y1 \
	VPUNPCKLQDQ Y7, Y5, Y2 \
	VPUNPCKHQDQ Y7, Y5, Y3 \
	KEEP(Y0, w0)           \
	KEEP(Y1, w1)           \
	KEEP(Y2, w2)           \
	KEEP(Y3, w3)

// The function and the constant of the rounds from 0, 20, 40 and 60 on: Y6 is
// f(b, c, d), and e gets the constant.
#define F0(b, c, d, e) \
	CHOOSE(b, c, d)    \
	VPADDD Y11, e, e
#define F20(b, c, d, e) \
	PARITY(b, c, d)    \
	VPADDD Y12, e, e
#define F40(b, c, d, e) \
	MAJORITY(b, c, d)  \
	VPADDD Y13, e, e
#define F60(b, c, d, e) \
	PARITY(b, c, d)    \
	VPADDD Y14, e, e

// ROUND is e += w + constant + f(b, c, d) + rol(a, 5); b = rol(b, 30). Nothing is
// moved about: the next round calls e what was d, d what was c, and so on. Only
// the last sum waits for the round before, whose result is a.
//
// Then w, which was of round t, becomes that of round t+16:
// rol(w[t] ^ w[t+2] ^ w[t+8] ^ w[t+13], 1). That is off the critical path, and
// runs beside the rounds that follow.
#define ROUND(MIXING, F, a, b, c, d, e, w, w2, w8, w13) \
	VPADDD w, e, e   \
	F(b, c, d, e)    \
	VPADDD Y6, e, e  \
	ROL(5, a, Y5)    \
	ROL(30, b, b)    \
	VPADDD Y5, e, e  \
	MIXING(w, w2, w8, w13)

// SIXTEEN rounds use every word once, and the function changes only after a
// multiple of four. As 16 is 3 times 5 and 1, the names end moved on by one.
#define SIXTEEN(MIXING, FA, FB, FC, FD, a, b, c, d, e) \
	ROUND(MIXING, FA, a, b, c, d, e, W0,  W2,  W8,  W13) \
	ROUND(MIXING, FA, e, a, b, c, d, W1,  W3,  W9,  W14) \
	ROUND(MIXING, FA, d, e, a, b, c, W2,  W4,  W10, W15) \
	ROUND(MIXING, FA, c, d, e, a, b, W3,  W5,  W11, W0)  \
	ROUND(MIXING, FB, b, c, d, e, a, W4,  W6,  W12, W1)  \
	ROUND(MIXING, FB, a, b, c, d, e, W5,  W7,  W13, W2)  \
	ROUND(MIXING, FB, e, a, b, c, d, W6,  W8,  W14, W3)  \
	ROUND(MIXING, FB, d, e, a, b, c, W7,  W9,  W15, W4)  \
	ROUND(MIXING, FC, c, d, e, a, b, W8,  W10, W0,  W5)  \
	ROUND(MIXING, FC, b, c, d, e, a, W9,  W11, W1,  W6)  \
	ROUND(MIXING, FC, a, b, c, d, e, W10, W12, W2,  W7)  \
	ROUND(MIXING, FC, e, a, b, c, d, W11, W13, W3,  W8)  \
	ROUND(MIXING, FD, d, e, a, b, c, W12, W14, W4,  W9)  \
	ROUND(MIXING, FD, c, d, e, a, b, W13, W15, W5,  W10) \
	ROUND(MIXING, FD, b, c, d, e, a, W14, W0,  W6,  W11) \
	ROUND(MIXING, FD, a, b, c, d, e, W15, W1,  W7,  W12)

// UNMIXED is for the last sixteen, whose words nobody needs again.
#define UNMIXED(w, w2, w8, w13)

#define CONSTANTS \
	VPBROADCASTD   constant<>+0(SB), Y11  \
	VPBROADCASTD   constant<>+4(SB), Y12  \
	VPBROADCASTD   constant<>+8(SB), Y13  \
	VPBROADCASTD   constant<>+12(SB), Y14 \
	VBROADCASTI128 swap<>+0(SB), Y15

#define CHUNK \
	QUARTER(0, W0, W1, W2, W3)     \
	QUARTER(1, W4, W5, W6, W7)     \
	QUARTER(2, W8, W9, W10, W11)   \
	QUARTER(3, W12, W13, W14, W15) \
	VMOVDQU 0(AX), Y0              \
	VMOVDQU 32(AX), Y1             \
	VMOVDQU 64(AX), Y2             \
	VMOVDQU 96(AX), Y3             \
	VMOVDQU 128(AX), Y4            \
	SIXTEEN(MIX, F0, F0, F0, F0, Y0, Y1, Y2, Y3, Y4)          \
	SIXTEEN(MIX, F0, F20, F20, F20, Y4, Y0, Y1, Y2, Y3)       \
	SIXTEEN(MIX, F20, F20, F40, F40, Y3, Y4, Y0, Y1, Y2)      \
	SIXTEEN(MIX, F40, F40, F40, F60, Y2, Y3, Y4, Y0, Y1)      \
	SIXTEEN(UNMIXED, F60, F60, F60, F60, Y1, Y2, Y3, Y4, Y0)  \
	VPADDD  0(AX), Y0, Y0          \
	VPADDD  32(AX), Y1, Y1         \
	VPADDD  64(AX), Y2, Y2         \
	VPADDD  96(AX), Y3, Y3         \
	VPADDD  128(AX), Y4, Y4        \
	VMOVDQU Y0, 0(AX)              \
	VMOVDQU Y1, 32(AX)             \
	VMOVDQU Y2, 64(AX)             \
	VMOVDQU Y3, 96(AX)             \
	VMOVDQU Y4, 128(AX)

DATA constant<>+0(SB)/4, $0x5a827999
DATA constant<>+4(SB)/4, $0x6ed9eba1
DATA constant<>+8(SB)/4, $0x8f1bbcdc
DATA constant<>+12(SB)/4, $0xca62c1d6
GLOBL constant<>(SB), RODATA|NOPTR, $16

DATA swap<>+0(SB)/8, $0x0405060700010203
DATA swap<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL swap<>(SB), RODATA|NOPTR, $16
