package metainfo

import (
	"slices"
	"strings"

	"kouzui/wire/metainfo/dict"
)

// link is a symbolic link of BEP 47. Once it is resolved, it leads to the first
// depth parts of the path of Files[file]: to that file, to one of its folders,
// or for 0 to the folder of the torrent. In this form a target stays right when
// files are renamed.
type link struct {
	original string // as the torrent has it, with a slash between parts
	file     int
	depth    int
}

// readLink reads the target of the link at file i. What it leads to is found by
// resolveLinks, when the paths of all files are known.
func (t *Torrent) readLink(i int, d dict.Dict) {
	parts, _ := t.names.path(d, "symlink path.utf-8", "symlink path")
	if t.links == nil {
		t.links = make(map[int]*link)
	}
	t.links[i] = &link{original: strings.Join(parts, "/")}
}

// resolveLinks finds what each link leads to. One that leads to nothing in the
// torrent, or round in a circle, is left out with a warning: links have no
// bytes, so the pieces stay as they are.
func (t *Torrent) resolveLinks() {
	if len(t.links) == 0 {
		return
	}
	places := newPlaces(t.Files)
	for i := range t.Files {
		if l := t.links[i]; l != nil {
			// BEP 47 counts from the torrent's folder; some makers count from
			// the folder of the link, as the system does.
			folder := t.Files[i].Path[:len(t.Files[i].Path)-1]
			if !places.resolve(nil, l) && !places.resolve(folder, l) {
				t.leaveOutLink(i, "leads to nothing in the torrent")
			}
		}
	}
	t.leaveOutCircles()
}

// leaveOutCircles leaves out the links from which no file or folder is reached.
func (t *Torrent) leaveOutCircles() {
	reaches := make(map[int]bool, len(t.links)) // false: under way, or never
	for i := range t.Files {
		if _, known := reaches[i]; known || t.links[i] == nil {
			continue
		}
		var row []int
		at, end := i, false
		for {
			l := t.links[at]
			if l == nil {
				end = !t.Files[at].Padding // else a link that is left out
				break
			}
			var known bool
			if end, known = reaches[at]; known {
				break
			}
			reaches[at] = false
			row = append(row, at)
			if at = l.file; l.depth < len(t.Files[at].Path) {
				end = true // a folder
				break
			}
		}
		for _, at := range row {
			reaches[at] = end
		}
	}
	for i := range t.Files {
		if end, isLink := reaches[i]; isLink && !end {
			t.leaveOutLink(i, "leads to no file")
		}
	}
}

func (t *Torrent) leaveOutLink(i int, reason string) {
	t.warn("The link %q to %q is left out: it %s.", shownPath(t.Files[i].Path), Clean(t.links[i].original, shownText), reason)
	t.Files[i].Padding = true
	delete(t.links, i)
}

// nameLinks sets Link to the present names of what links lead to.
func (t *Torrent) nameLinks() {
	for i, l := range t.links {
		from, to := t.Files[i].Path, t.Files[l.file].Path[:l.depth]
		from = from[:len(from)-1]
		for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
			from, to = from[1:], to[1:]
		}
		up := slices.Repeat([]string{".."}, len(from))
		if t.Files[i].Link = strings.Join(append(up, to...), "/"); t.Files[i].Link == "" {
			t.Files[i].Link = "."
		}
	}
}

// places finds files and folders by their paths. It costs as much as the text
// of the paths, however deep they are.
type places struct {
	at    map[place]int // to the index in found
	found []link        // of files and folders, the torrent's own first
}

// place is a name in a folder, which is an index in places.found.
type place struct {
	folder int
	name   string
}

func newPlaces(files []File) *places {
	p := &places{at: make(map[place]int, len(files)), found: []link{{}}}
	for i := range files {
		if files[i].Padding {
			continue
		}
		folder := 0
		for depth, name := range files[i].Path {
			here := place{folder, name}
			index, known := p.at[here]
			if !known {
				index = len(p.found)
				p.at[here] = index
				p.found = append(p.found, link{file: i, depth: depth + 1})
			}
			folder = index
		}
	}
	return p
}

// resolve finds the target of l from a folder on, and tells whether it is in
// the torrent.
func (p *places) resolve(folder []string, l *link) bool {
	if l.original == "" || l.original[0] == '/' {
		return false
	}
	way := []int{0}
	for _, name := range folder {
		way = append(way, p.at[place{way[len(way)-1], name}])
	}
	for name := range strings.SplitSeq(l.original, "/") {
		switch name {
		case "", ".":
			continue
		case "..":
			if way = way[:len(way)-1]; len(way) == 0 {
				return false
			}
			continue
		}
		index, known := p.at[place{way[len(way)-1], local.safe(name)}]
		if !known {
			return false
		}
		way = append(way, index)
	}
	target := p.found[way[len(way)-1]]
	l.file, l.depth = target.file, target.depth
	return true
}
