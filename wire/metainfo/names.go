package metainfo

import (
	"strings"
	"unicode/utf8"
)

// While a torrent NAME is incomplete, its file or folder is called NAME.part.
// Beside it, and later beside the complete NAME, lies the journal .NAME.kouzui,
// which spares a seed the check; a lock named after it keeps a second process
// away; and .NAME.kouzui.side holds what pieces have of files that are not
// wanted. A partial NAME that was found (another client's, or one made on
// purpose) is completed in its place.

// notOurs returns the name of a torrent such that no file beside the content of
// any other torrent has that name: "_" is added to one of the form below, in
// either case, as disks may take cases for equal.
func notOurs(name string) string {
	if !strings.HasSuffix(strings.ToLower(name), partSuffix) && !Bookkeeping(name) {
		return name
	}
	return cut(name, MaxPathPart-1) + "_"
}

const (
	partSuffix    = ".part"
	journalSuffix = ".kouzui"
	lockSuffix    = ".kouzui.lock"
	sideSuffix    = ".kouzui.side"
	newSuffix     = ".kouzui-new" // while a journal is written
	markLength    = 1 + 8         // of what takes the place of the end of a name that is too long: ~ and digits of the info hash
)

// besideContent splits the name of a file beside content into the name that it
// is made of and its suffix, which is "" for another file.
func besideContent(name string) (stem, suffix string) {
	for _, suffix := range []string{journalSuffix, lockSuffix, sideSuffix, newSuffix} {
		if n := len(name) - len(suffix); n > 1 && name[0] == '.' && strings.EqualFold(name[n:], suffix) {
			return name[1:n], suffix
		}
	}
	return "", ""
}

// Bookkeeping tells whether name is of the form of a journal, a lock or a side
// file.
func Bookkeeping(name string) bool {
	_, suffix := besideContent(name)
	return suffix != ""
}

// BelongsTo tells whether name is that of a file beside a download whose
// incomplete content is called part. Of a long name both may be cut, and at
// different places, and part may not tell the info hash that stands there.
func BelongsTo(name, part string) bool {
	content, incomplete := strings.CutSuffix(part, partSuffix)
	stem, suffix := besideContent(name)
	if !incomplete || content == "" || suffix == "" {
		return false
	}
	kept := len(stem) - markLength
	return stem == content || kept > 0 && stem[kept] == '~' &&
		len(name)+utf8.UTFMax > MaxPathPart && strings.HasPrefix(content, stem[:kept])
}

// PartName is what the content is called while it is incomplete.
func (t *Torrent) PartName() string { return t.beside("", partSuffix) }

// JournalName is the name of the journal.
func (t *Torrent) JournalName() string { return t.beside(".", journalSuffix) }

// LockName is the name of the file whose lock a process holds while it works on
// the content.
func (t *Torrent) LockName() string { return t.beside(".", lockSuffix) }

// SideName is the name of the side file, see package files of the store.
func (t *Torrent) SideName() string { return t.beside(".", sideSuffix) }

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
		mark := "~" + t.InfoHash.String()[:markLength-1]
		keep := MaxPathPart - len(before) - len(mark) - len(after)
		for keep > 0 && name[keep]&0xC0 == 0x80 { // not within a UTF-8 character
			keep--
		}
		name = name[:keep] + mark
	}
	return before + name + after
}
