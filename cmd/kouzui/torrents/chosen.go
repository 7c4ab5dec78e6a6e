package torrents

import (
	"errors"
	"io/fs"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// chosenOnly has only the pieces of chosen files hashed, and read from the side
// file what they have of files that are missing, as those that were not wanted
// are.
func chosenOnly(t *metainfo.Torrent, content *hashing.Content, w choice.Wanted) {
	if w.Files == nil {
		return
	}
	content.Only = w.Pieces
	missing := bitset.New(uint(len(t.Files)))
	for i := range t.Files {
		_, err := content.Folder.Stat(content.Files[i].Name)
		missing.SetTo(uint(i), !t.Files[i].Padding && errors.Is(err, fs.ErrNotExist))
	}
	layout := files.NewLayout(t).Divert(missing)
	var parts []hashing.File
	for i, f := range content.Files {
		if !layout.Diverted(i) {
			parts = append(parts, f)
			continue
		}
		for _, span := range layout.AppendSpans(nil, t.Files[i].Offset, t.Files[i].Length) {
			name := f.Name
			if span.File == layout.Side() {
				name = t.SideName()
			}
			parts = append(parts, hashing.File{Name: name, Length: span.Length, Begin: span.Offset})
		}
	}
	content.Files = parts
}
