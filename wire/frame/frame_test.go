package frame

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kouzui/wire/buffer"
)

func TestEveryKindOnTheWire(t *testing.T) {
	limits := Limits{Pieces: 10, MaxBlock: buffer.Size, Extended: 100}
	fast := map[Kind]bool{Suggest: true, HaveAll: true, HaveNone: true, Reject: true, AllowedFast: true}
	for _, tc := range []struct {
		frame Frame
		name  string
		wire  string
	}{
		{Frame{Kind: KeepAlive}, "keep-alive", "\x00\x00\x00\x00"},
		{Frame{Kind: Choke}, "choke", "\x00\x00\x00\x01\x00"},
		{Frame{Kind: Unchoke}, "unchoke", "\x00\x00\x00\x01\x01"},
		{Frame{Kind: Interested}, "interested", "\x00\x00\x00\x01\x02"},
		{Frame{Kind: NotInterested}, "not interested", "\x00\x00\x00\x01\x03"},
		{Frame{Kind: Have, Index: 0x01020304}, "have", "\x00\x00\x00\x05\x04\x01\x02\x03\x04"},
		{Frame{Kind: Bitfield, Bits: []byte("\xFF\xC0")}, "bitfield", "\x00\x00\x00\x03\x05\xFF\xC0"},
		{Frame{Kind: Request, Index: 1, Begin: 2, Length: 3}, "request", "\x00\x00\x00\x0D\x06\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"},
		{Frame{Kind: Piece, Index: 1, Begin: 2, Length: 3}, "piece", "\x00\x00\x00\x0C\x07\x00\x00\x00\x01\x00\x00\x00\x02abc"},
		{Frame{Kind: Cancel, Index: 1, Begin: 2, Length: 3}, "cancel", "\x00\x00\x00\x0D\x08\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"},
		{Frame{Kind: Port, Index: 6881}, "port", "\x00\x00\x00\x03\x09\x1A\xE1"},
		{Frame{Kind: Suggest, Index: 0x01020304}, "suggest", "\x00\x00\x00\x05\x0D\x01\x02\x03\x04"},
		{Frame{Kind: HaveAll}, "have all", "\x00\x00\x00\x01\x0E"},
		{Frame{Kind: HaveNone}, "have none", "\x00\x00\x00\x01\x0F"},
		{Frame{Kind: Reject, Index: 1, Begin: 2, Length: 3}, "reject", "\x00\x00\x00\x0D\x10\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03"},
		{Frame{Kind: AllowedFast, Index: 0x01020304}, "allowed fast", "\x00\x00\x00\x05\x11\x01\x02\x03\x04"},
		{Frame{Kind: Extended, Index: 3, Bits: []byte("de")}, "extended", "\x00\x00\x00\x04\x14\x03de"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.frame.Kind.String(); got != tc.name {
				t.Errorf("String gives %q", got)
			}
			if got, want := tc.frame.Kind.Fast(), fast[tc.frame.Kind]; got != want {
				t.Errorf("it belongs to the fast extension: %v", got)
			}
			want := take(tc.frame)
			wire := AppendHeader([]byte("before"), tc.frame)
			if tc.frame.Kind == Piece {
				want.Payload = "abc"
				wire = append(wire, want.Payload...)
			}
			if got := string(wire); got != "before"+tc.wire {
				t.Fatalf("encoded as %q, want %q", got, tc.wire)
			}
			got, err := decode(t, []byte(tc.wire), limits, Options{}, func() read { return read{1, 1 << 20} })
			if diff := cmp.Diff([]plain{want}, got); err != nil || diff != "" {
				t.Errorf("decoded with error %v, difference (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestUnknownKinds(t *testing.T) {
	if got := Kind(99).String(); got != "unknown(99)" {
		t.Errorf("String gives %q", got)
	}
	wire := []byte("\x00\x00\x00\x04\x63xyz\x00\x00\x00\x02\x14\x00")
	got, err := decode(t, wire, Limits{}, Options{}, func() read { return read{0, 3} })
	want := []plain{{Kind: 99, Length: 3}, {Kind: Extended, Length: 1}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, difference (-want +got):\n%s", err, diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("a frame without a form was encoded")
		}
	}()
	AppendHeader(nil, Frame{Kind: 99})
}
