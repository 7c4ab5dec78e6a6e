package actors_test

import (
	"net/netip"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// Two clients agree on what their policies have in common, and the download is
// the same whatever that is.
func TestDownloadsAreEncryptedAsPoliciesSay(t *testing.T) {
	const allow, prefer, require, off = messages.AllowEncryption, messages.PreferEncryption, messages.RequireEncryption, messages.NoEncryption
	torrent, data := stage.Torrent(t, 2<<20+12345, 128<<10)
	slow := messages.SetLimits{Up: 1 << 20} // so that there is a connection for long enough to be looked at
	for seeds, leeches := range map[messages.EncryptionPolicy]map[messages.EncryptionPolicy]messages.Encrypted{
		allow:   {allow: messages.EncryptedNothing, prefer: messages.EncryptedHandshake, require: messages.EncryptedAll},
		require: {allow: messages.EncryptedAll, prefer: messages.EncryptedAll, require: messages.EncryptedAll},
		off:     {allow: messages.EncryptedNothing, prefer: messages.EncryptedNothing},
	} {
		for leeches, want := range leeches {
			t.Run(string(seeds+" and "+leeches), func(t *testing.T) {
				t.Parallel()
				seed, addr := seed(t, torrent, data, actors.Options{Encryption: seeds, Limits: slow})
				n := start(t, actors.Options{Encryption: leeches})
				n.add(torrent, messages.TorrentOptions{Dir: t.TempDir(), Peers: []netip.AddrPort{addr}})
				met := await(seed, func(p *messages.Progress) bool { return len(p.Top) == 1 })
				if got := met.Top[0].Encrypted; got != want || (met.Encrypted == 1) != (want != messages.EncryptedNothing) {
					t.Errorf("the seed has a connection of which is encrypted: %v, want %v", got, want)
				}
				if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
					t.Error("not complete")
				}
				n.noFailures()
				seed.noFailures()
			})
		}
	}
}
