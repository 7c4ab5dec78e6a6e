package torrents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kouzui/wire/metainfo"
)

// The name of an incomplete download has a suffix. A download shortens names
// that would be too long with it, and verify must find them.
func TestVerifyFindsWhatADownloadCalledOtherwise(t *testing.T) {
	torrent := &metainfo.Torrent{Name: strings.Repeat("n", metainfo.MaxPathPart), Single: true, Files: []metainfo.File{{Length: 1}}, Length: 1}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, torrent.PartName()), []byte{1}, 0o644); err != nil {
		t.Fatal(err)
	}
	content, base, err := findData(torrent, dir)
	if err != nil || base != torrent.PartName() || content.Files[0].Name != base {
		t.Fatalf("found %q: %v", base, err)
	}
	content.Folder.Close()
}
