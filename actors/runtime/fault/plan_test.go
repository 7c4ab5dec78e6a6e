package fault_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"kouzui/actors/runtime/fault"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/wire/announce"
)

func plan(t *testing.T, w *fake.World, texts ...string) *fault.Plan {
	t.Helper()
	var specs []fault.Spec
	for _, text := range texts {
		s, err := fault.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		specs = append(specs, s)
	}
	return fault.New(specs, w.Clock)
}

// diskCalls do one thing to a disk each; those of files work on "a".
var diskCalls = map[string]func(world.Folder, world.File) error{
	"stat":     func(f world.Folder, _ world.File) error { _, err := f.Stat("a"); return err },
	"readdir":  func(f world.Folder, _ world.File) error { _, err := f.ReadDir("."); return err },
	"readfile": func(f world.Folder, _ world.File) error { _, err := f.ReadFile("a", 100); return err },
	"open":     func(f world.Folder, _ world.File) error { return closed(f.Open("a", false)) },
	"create":   func(f world.Folder, _ world.File) error { return closed(f.Create("b")) },
	"mkdir":    func(f world.Folder, _ world.File) error { return f.MkdirAll("d/e") },
	"put":      func(f world.Folder, _ world.File) error { return f.WriteFile("c", []byte("c")) },
	"rename":   func(f world.Folder, _ world.File) error { return f.Rename("c", "e") },
	"remove":   func(f world.Folder, _ world.File) error { return f.Remove("e") },
	"removeall": func(f world.Folder, _ world.File) error {
		return f.RemoveAll("d")
	},
	"syncdir": func(f world.Folder, _ world.File) error { return f.Sync(".") },
	"read": func(_ world.Folder, f world.File) error {
		return done(func(d func(error)) { f.ReadBlocks(bytes(1), 0, d) })
	},
	"write": func(_ world.Folder, f world.File) error {
		return done(func(d func(error)) { f.WriteBlocks(bytes(1), 0, d) })
	},
	"sync":     func(_ world.Folder, f world.File) error { return done(f.Sync) },
	"extend":   func(_ world.Folder, f world.File) error { return f.Extend(10) },
	"statfile": func(_ world.Folder, f world.File) error { _, err := f.Stat(); return err },
}

func bytes(n int) [][]byte { return [][]byte{make([]byte, n)} }

func closed(f world.File, err error) error {
	if err != nil {
		return err
	}
	return f.Close()
}

func done(do func(func(error))) (err error) {
	do(func(e error) { err = e })
	return err
}

func TestDisks(t *testing.T) {
	changing := []string{"rename", "remove", "removeall", "syncdir", "sync"}
	growing := []string{"create", "mkdir", "put", "write", "extend"}
	reading := []string{"stat", "readdir", "readfile", "open", "read", "statfile"}
	for text, tc := range map[string]struct {
		refused []string
		is      error
	}{
		"disk,error=ENOSPC,at=1s":               {growing, world.ErrFull},
		"disk,error=EROFS,at=1s":                {slices.Concat(changing, growing), syscall.EROFS},
		"disk,error=EIO,at=1s":                  {slices.Concat(changing, growing, reading), syscall.EIO},
		"disk,error=EACCES,op=read,at=1s":       {reading, fs.ErrPermission},
		"disk,error=EIO,op=write,at=1s":         {slices.Concat(changing, growing), syscall.EIO},
		"disk,error=EIO,path=nothing,at=1s":     {nil, nil},
		"disk,error=EIO,actor=*/scheduler":      {nil, nil},
		"disk,error=EIO,at=1s,for=1s,path=nope": {nil, nil},
	} {
		t.Run(text, func(t *testing.T) {
			w := fake.New(1)
			disk := plan(t, w, text).World(w.World(), "client/torrent/engine/store").Disk
			folder, err := disk.OpenFolder("/d")
			if err != nil {
				t.Fatal(err)
			}
			file, err := folder.Create("a")
			if err != nil {
				t.Fatal(err)
			}
			if err := file.Extend(1); err != nil {
				t.Fatal(err)
			}
			w.Clock.Advance(time.Second)
			var refused []string
			for name, call := range diskCalls {
				err := call(folder, file)
				if errors.Is(err, fs.ErrNotExist) {
					err = nil // the calls come in any order
				}
				if err == nil {
					continue
				}
				refused = append(refused, name)
				if path := new(fs.PathError); !errors.Is(err, tc.is) || !errors.As(err, &path) {
					t.Errorf("%s: %v, want %v", name, err, tc.is)
				}
			}
			want := slices.Sorted(slices.Values(tc.refused))
			if slices.Sort(refused); !slices.Equal(refused, want) {
				t.Errorf("refused are %v, want %v", refused, want)
			}
		})
	}
}

func TestASlowDiskAnswersLater(t *testing.T) {
	w := fake.New(1)
	disk := plan(t, w, "disk,slow=50ms,op=write").World(w.World(), "client/store").Disk
	folder, err := disk.OpenFolder("/d")
	if err != nil {
		t.Fatal(err)
	}
	file, err := folder.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	answers := 0
	file.WriteBlocks(bytes(3), 0, func(err error) {
		if answers++; err != nil {
			t.Error(err)
		}
	})
	w.Clock.Advance(49 * time.Millisecond)
	if answers != 0 {
		t.Error("it is not slow")
	}
	w.Clock.Advance(time.Millisecond)
	file.ReadBlocks(bytes(3), 0, func(err error) {
		if answers++; err != nil {
			t.Error(err)
		}
	})
	if answers != 2 {
		t.Errorf("%d answers, want 2", answers)
	}
}

func TestTrackers(t *testing.T) {
	w := fake.New(1)
	p := plan(t, w, "tracker,error=failure,url=*bad*,count=1")
	trackers := p.World(w.World(), "client/torrent/tracker-0").Trackers
	call := func(url string) (err error) {
		trackers.Announce(url, world.FromTorrent, announce.Request{}, time.Second, func(_ announce.Reply, e error) { err = e })
		return err
	}
	var failed *world.AnnounceError
	if err := call("http://bad/announce"); !errors.As(err, &failed) || failed.Phase != world.PhaseFailure {
		t.Errorf("the tracker says %v", err)
	}
	for range 2 {
		if err := call("http://bad/announce"); err != nil || w.Trackers.AwaitAnnounce() == nil {
			t.Errorf("the tracker says %v", err)
		}
	}
}

// An announce over UDP begins with the question whether it may be made.
func TestTrackersOverUDP(t *testing.T) {
	w := fake.New(1)
	trackers := plan(t, w, "tracker,error=failure,url=udp:*,count=1").World(w.World(), "client/torrent/tracker-0").Trackers
	ask := func() error {
		_, err := trackers.Permit("udp://a:1", world.FromTorrent, netip.MustParseAddr("192.0.2.1"), time.Second)
		return err
	}
	if failed, ok := errors.AsType[*world.AnnounceError](ask()); !ok || failed.Phase != world.PhaseFailure {
		t.Errorf("the tracker says %v", failed)
	}
	if err := ask(); err != nil {
		t.Error(err)
	}
}
