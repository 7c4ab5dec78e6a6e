package metainfo

import "strings"

// While a torrent NAME is incomplete, its file or folder is called NAME.part.
// Beside it, and later beside the complete NAME, lies the journal .NAME.kouzui,
// which spares a seed the check; a lock named after it keeps a second process
// away. A partial NAME that was found (another client's, or one made on
// purpose) is completed in its place.

// notOurs returns the name of a torrent such that no file beside the content of
// any other torrent has that name: "_" is added to one of the form below, in
// either case, as disks may take cases for equal.
func notOurs(name string) string {
	lower := strings.ToLower(name)
	ours := strings.HasSuffix(lower, ".part")
	for _, suffix := range []string{".kouzui", ".kouzui.lock", ".kouzui-new"} { // the last while a journal is written
		ours = ours || strings.HasPrefix(name, ".") && strings.HasSuffix(lower, suffix)
	}
	if !ours {
		return name
	}
	return cut(name, MaxPathPart-1) + "_"
}

// PartName is what the content is called while it is incomplete.
func (t *Torrent) PartName() string { return t.beside("", ".part") }

// JournalName is the name of the journal.
func (t *Torrent) JournalName() string { return t.beside(".", ".kouzui") }

// LockName is the name of the file whose lock a process holds while it works on
// the content.
func (t *Torrent) LockName() string { return t.beside(".", ".kouzui.lock") }

// Clashes tells whether two torrents would have the same name in one folder.
// That of one is never a name beside the other, see notOurs.
func (t *Torrent) Clashes(other *Torrent) bool {
	s := separator{platform: local}
	return s.key(0, t.Name) == s.key(0, other.Name)
}

// beside makes a name from the torrent's name. A name that would be too long
// for a file system is cut, and the info hash added to keep it unique.
func (t *Torrent) beside(before, after string) string {
	name := t.Name
	if len(before)+len(name)+len(after) > MaxPathPart {
		mark := "~" + t.InfoHash.String()[:8]
		keep := MaxPathPart - len(before) - len(mark) - len(after)
		for keep > 0 && name[keep]&0xC0 == 0x80 { // not within a UTF-8 character
			keep--
		}
		name = name[:keep] + mark
	}
	return before + name + after
}
