package metainfo

import (
	"runtime"
	"slices"
	"strings"

	"kouzui/wire/metainfo/dict"
)

// platform describes the file names of the running system. Names that are valid
// there are not changed, so that content which another client has downloaded is
// found under its own names.
type platform struct {
	windows bool // forbids <>:"|?*, device names, and a dot or space at the end
	folds   bool // takes names for equal that differ in case or Unicode normalisation only
}

var local = platform{
	windows: runtime.GOOS == "windows",
	folds:   runtime.GOOS == "windows" || runtime.GOOS == "darwin" || runtime.GOOS == "ios",
}

// readName reads the torrent's name. It is only a suggestion (BEP 3), so an
// empty one is replaced by the info hash.
func (t *Torrent) readName(d dict.Dict) error {
	original := t.names.first(d, "name.utf-8", "name")
	if original == "" {
		for _, key := range []string{"name.utf-8", "name"} {
			if _, text := d.Text(key); d[key] != nil && !text {
				return refuse("The torrent's name is no text.")
			}
		}
	}
	if local.leadsOut(original) {
		return refuse("The torrent's name %q leads out of its folder with \"..\".", Clean(original, shownText))
	}
	t.Name = notOurs(local.safe(original))
	if original == "" || original == "." {
		t.Name = t.InfoHash.String()
	}
	if t.Name != original {
		t.warn("The torrent's name %q is made safe as %q.", Clean(original, shownText), t.Name)
	}
	return nil
}

// readPath reads the path of file i. It refuses what could lead out of the
// torrent's folder, and makes safe what is merely odd.
func (t *Torrent) readPath(f *File, i int, d dict.Dict) error {
	original, ok := t.names.path(d, "path.utf-8", "path")
	if !ok {
		return refuse("The path of file %d is not a list of 1 to %d names.", i+1, MaxPathDepth)
	}
	size := 0
	for _, part := range original {
		if local.leadsOut(part) {
			return refuse("The path %q of file %d leads out of its folder with \"..\".", shownPath(original), i+1)
		}
		if part != "" && part != "." {
			f.Path = append(f.Path, local.safe(part))
			size += 1 + len(part)
		}
	}
	if len(f.Path) == 0 {
		return refuse("The path of file %d is empty.", i+1)
	}
	if size > MaxPath {
		return refuse("The path %q is more than %d bytes long.", shownPath(original), MaxPath)
	}
	if !slices.Equal(f.Path, original) {
		f.Original = original
		t.warn("The path %q is made safe as %q.", shownPath(original), shownPath(f.Path))
	}
	return nil
}

// shownPath returns a path fit to be quoted in a sentence.
func shownPath(path []string) string { return Clean(strings.Join(path, "/"), shownText) }

func textList(d dict.Dict, key string) ([]string, bool) {
	raw, ok := d.List(key, MaxPathDepth)
	if !ok || len(raw) == 0 {
		return nil, false
	}
	parts := make([]string, len(raw))
	for i := range raw {
		if parts[i], ok = dict.Text(raw[i]); !ok {
			return nil, false
		}
	}
	return parts, true
}

// leadsOut tells whether a part of a path would lead out of its folder on this
// system: it is "..", or a path of its own with ".." in it.
func (p platform) leadsOut(part string) bool {
	return slices.Contains(strings.FieldsFunc(part, p.separator), "..")
}

// separator tells whether r separates the parts of a path. "\" is a letter
// everywhere but on Windows, and the second byte of some characters in old
// encodings.
func (p platform) separator(r rune) bool { return r == '/' || p.windows && r == '\\' }

// safe returns a name that p can create: part itself wherever possible. "_"
// takes the place of a separator and of what p does not allow or nobody sees.
func (p platform) safe(part string) string {
	name := mapText(part, func(r rune, shown bool) rune {
		if !shown || p.separator(r) || p.windows && strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	})
	name = shorten(name, MaxPathPart)
	if !p.windows {
		return name
	}
	if bare := strings.TrimRight(name, ". "); bare != name {
		name = bare + "_"
	}
	if stem, _, _ := strings.Cut(name, "."); device(strings.TrimRight(stem, " ")) {
		name = shorten("_"+name, MaxPathPart)
	}
	return name
}

// device tells whether Windows reserves a name for a device, whatever its
// extension.
func device(stem string) bool {
	switch stem = strings.ToUpper(stem); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if stem, ok := strings.CutPrefix(stem, "COM"); ok {
		return port(stem)
	}
	stem, ok := strings.CutPrefix(stem, "LPT")
	return ok && port(stem)
}

func port(s string) bool {
	return len(s) == 1 && s[0] >= '0' && s[0] <= '9' || s == "¹" || s == "²" || s == "³"
}

// shorten returns name in at most n bytes and keeps its extension, if that is
// short.
func shorten(name string, n int) string {
	if len(name) <= n {
		return name
	}
	stem, ext := splitExt(name)
	return cut(stem, n-len(ext)) + ext
}

// splitExt splits off the extension with its dot; one of more than 16 bytes is
// none.
func splitExt(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || len(name)-i > 16 {
		return name, ""
	}
	return name[:i], name[i:]
}
