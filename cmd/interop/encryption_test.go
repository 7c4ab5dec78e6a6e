//go:build linux

package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

// agreement is what two policies of encryption (MSE) come to.
type agreement struct {
	theirs counterpart.Encryption
	ours   string   // --encryption
	what   []string // of a connection may be encrypted
}

var agreements = []agreement{
	{counterpart.EncryptNothing, "prefer", []string{"nothing"}},
	{counterpart.EncryptIfWanted, "prefer", []string{"handshake", "all"}},
	{counterpart.EncryptIfWanted, "require", []string{"all"}},
	{counterpart.EncryptHandshake, "allow", []string{"handshake"}},
	{counterpart.EncryptHandshake, "prefer", []string{"handshake"}},
	{counterpart.EncryptAll, "allow", []string{"all"}},
	{counterpart.EncryptAll, "require", []string{"all"}},
}

// TestEncryption downloads from each client and seeds to each, with each policy
// of encryption that it has. Kouzui dials when it downloads, and is dialled by
// those that can when it seeds.
func TestEncryption(t *testing.T) {
	for _, other := range counterpart.Clients {
		for _, a := range agreements {
			if !slices.Contains(other.Encryption, a.theirs) {
				continue
			}
			for _, seeds := range []bool{false, true} {
				name := other.Name + "/" + string(a.theirs) + " and " + a.ours
				if seeds {
					name += ", seeding"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					encrypts(t, other, a, seeds)
				})
			}
		}
	}
}

func encrypts(t *testing.T, other counterpart.Client, a agreement, seeds bool) {
	version := installed(t, other.Version)
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	content, err := noise.New(t.TempDir(), "encrypted", 64<<10, []metainfo.FileSpec{{Length: 3<<20 + 1}}, nobody)
	if err != nil {
		t.Fatal(err)
	}
	us := counterpart.TracedKouzui(program, "--encryption", a.ours)
	us.Name = kouzui.Name
	seed, leech, dialler, direction := other, us, us, "downloads"
	if seeds {
		seed, leech, direction = us, other, "seeds"
		if other.Dials {
			dialler = other
		}
	}
	runs.begin(t, other.Name, version, direction, "encryption: "+string(a.theirs)+" and "+a.ours, dialler.Name)

	from, to := seedTask(t, seed, content), newTask(t, leech, content)
	from.Encryption, to.Encryption = a.theirs, a.theirs
	var ours, down *counterpart.Process
	if dialler.Name == leech.Name {
		ours = start(t, ctx, seed, from)
		to.Peers = []string{from.Place.Peer()}
		down = start(t, ctx, leech, to)
	} else {
		down = start(t, ctx, leech, to)
		from.Peers = []string{to.Place.Peer()}
		ours = start(t, ctx, seed, from)
	}
	fetches(t, ctx, down, leech, to.Dir, content)
	home := from.Home
	if seeds {
		ours.Stop()
	} else {
		home = to.Home
	}
	if seeds && dialler.Name == us.Name && a.ours == "prefer" && a.theirs == counterpart.EncryptIfWanted {
		// A download that is not ready yet drops the first connection to it.
		a.what = append(slices.Clone(a.what), "nothing")
	}
	for _, what := range encrypted(t, home) {
		if !slices.Contains(a.what, what) {
			t.Errorf("%s is encrypted, want %v", what, a.what)
		}
		t.Logf("encrypted: %s", what)
	}
}

// encrypted is what of its connections a kouzui with this home has noted to be
// encrypted.
func encrypted(t *testing.T, home string) (what []string) {
	t.Helper()
	f, err := os.Open(filepath.Join(home, "trace.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			Note   string
			Detail struct{ What string }
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Note == "encrypted" {
			what = append(what, line.Detail.What)
		}
	}
	if len(what) == 0 {
		return []string{"nothing"}
	}
	return what
}
