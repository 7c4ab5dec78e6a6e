package announce

import (
	"net/netip"
	"testing"
)

// BenchmarkParseReply takes a reply of 200 peers in each of its forms.
func BenchmarkParseReply(b *testing.B) {
	var r Reply
	for i := range 200 {
		r.Peers = append(r.Peers, Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 6881), HasID: true})
	}
	for name, compact := range map[string]bool{"compact": true, "dictionaries": false} {
		b.Run(name, func(b *testing.B) {
			body := AppendReply(nil, r, compact)
			b.ReportAllocs()
			for b.Loop() {
				if got, err := ParseReply(body); err != nil || len(got.Peers) != len(r.Peers) {
					b.Fatal(len(got.Peers), err)
				}
			}
		})
	}
}

// BenchmarkParseRequest is the tracker's side of it.
func BenchmarkParseRequest(b *testing.B) {
	const query = "info_hash=%01%02abcdefghijklmnopqr&peer_id=-KZ0100-abcdefghijkl&port=6881&uploaded=0&downloaded=16384&left=1073741824&compact=1&event=started&numwant=80&key=1f2e3d4c"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRequest(query); err != nil {
			b.Fatal(err)
		}
	}
}
