package store

import (
	"strings"

	"kouzui/actors/world"
	"kouzui/wire/metainfo"
)

// While a torrent NAME is incomplete, its file or folder is called NAME.part.
// Beside it, and later beside the complete NAME, lies the journal .NAME.kouzui,
// which spares a seed the check; a lock named after it keeps a second process
// away. A partial NAME that was found (another client's, or one made on purpose)
// is completed in its place.

func finalName(t *metainfo.Torrent) string { return t.Name }

func partName(t *metainfo.Torrent) string { return besides(t, "", ".part") }

func journalName(t *metainfo.Torrent) string { return besides(t, ".", ".kouzui") }

func lockName(t *metainfo.Torrent) string { return besides(t, ".", ".kouzui.lock") }

// folds tells whether the folder takes names for equal that differ in case only,
// as some do on any system. It knows by a name that is there.
func folds(folder world.Folder, t *metainfo.Torrent) bool {
	for _, name := range []string{lockName(t), finalName(t), partName(t)} {
		info, err := folder.Stat(name)
		other := strings.ToUpper(name)
		if err != nil || other == name {
			continue
		}
		same, err := folder.Stat(other)
		return err == nil && same.Stamp == info.Stamp
	}
	return false
}

// besides makes a name out of the torrent's. One that would be too long for a
// file system is cut, and told apart by the info hash.
func besides(t *metainfo.Torrent, before, after string) string {
	const longest = metainfo.MaxPathPart
	name := t.Name
	if len(before)+len(name)+len(after) > longest {
		mark := "~" + t.InfoHash.String()[:8]
		keep := longest - len(before) - len(mark) - len(after)
		for keep > 0 && name[keep]&0xC0 == 0x80 { // not within a UTF-8 character
			keep--
		}
		name = name[:keep] + mark
	}
	return before + name + after
}
