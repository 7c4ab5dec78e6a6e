package store

import (
	"crypto/sha1"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Whole data has its links, executable files and no padding; so has data that
// was complete without them. What has the name of a link stays.
func TestAttributes(t *testing.T) {
	content := []byte(strings.Repeat("x", 1000) + strings.Repeat("\x00", 24))
	sum := sha1.Sum(content)
	m, err := metainfo.Parse(fmt.Appendf(nil, "d4:infod5:filesl"+
		"d4:attr1:x6:lengthi1000e4:pathl3:run4:toolee"+
		"d4:attr1:p6:lengthi24e4:pathl4:.pad2:24ee"+
		"d4:attr1:l6:lengthi0e4:pathl3:bin4:linke12:symlink pathl3:run4:toolee"+
		"e4:name4:data12:piece lengthi1024e6:pieces20:%see", sum[:]))
	ok(t, err)
	s := &storetest.Sample{Torrent: m, Content: content}
	for name, begin := range map[string]func(*testing.T, world.Folder){
		"downloaded": func(*testing.T, world.Folder) {},
		"complete without": func(t *testing.T, f world.Folder) {
			ok(t, f.MkdirAll("data/run"))
			ok(t, f.WriteFile("data/run/tool", content[:1000]))
		},
		"a file in the way": func(t *testing.T, f world.Folder) {
			ok(t, f.MkdirAll("data/bin"))
			ok(t, f.WriteFile("data/bin/link", []byte("mine")))
		},
	} {
		for kind, disk := range map[string]world.Disk{"fake": newWorld().Disk, "real": &real.Disk{}} {
			t.Run(name+", "+kind, func(t *testing.T) {
				dir := t.TempDir()
				folder, err := disk.OpenFolder(dir)
				ok(t, err)
				defer folder.Close()
				begin(t, folder)
				w := newWorld().World()
				w.Disk = disk
				r := newRig(t, w, s, dir)
				await[*messages.StoreReady](r)
				r.sendAll()
				await[*messages.StoreFinished](r)
				r.stop()
				if info, err := folder.Stat("data/run/tool"); err != nil || info.Mode&0o100 == 0 || info.Size != 1000 {
					t.Errorf("the tool is %+v, %v", info, err)
				}
				want := fs.ModeSymlink
				if name == "a file in the way" {
					want = 0
				}
				if info, err := folder.Stat("data/bin/link"); err != nil || info.Mode.Type() != want {
					t.Errorf("the link is %+v, %v", info, err)
				}
				if _, err := folder.Stat("data/.pad"); err == nil {
					t.Error("there is padding")
				}
				again := newRig(t, w, s, dir)
				if ready := await[*messages.StoreReady](again); !ready.Complete || ready.Checked > 0 {
					t.Errorf("the second time: %+v", ready)
				}
			})
		}
	}
}
