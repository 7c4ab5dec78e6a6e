package torrents

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// description is a torrent as info and create print it.
type description struct {
	V           int               `json:"v"`
	Path        string            `json:"path,omitempty"` // of the .torrent that was made
	Hash        string            `json:"info_hash"`
	Magnet      string            `json:"magnet,omitempty"` // a link; "" for a private torrent, whose peers come from its trackers only
	Name        string            `json:"name"`
	Length      int64             `json:"length"`
	PieceLength int64             `json:"piece_length"`
	Pieces      int               `json:"pieces"`
	Single      bool              `json:"single_file"`
	Private     bool              `json:"private"`
	Comment     string            `json:"comment,omitempty"`
	CreatedBy   string            `json:"created_by,omitempty"`
	Created     string            `json:"created,omitempty"` // RFC 3339
	Trackers    [][]string        `json:"trackers"`          // tiers
	WebSeeds    []string          `json:"web_seeds,omitempty"`
	Files       []fileDescription `json:"files"`
	Warnings    []string          `json:"warnings"`
	Unsupported []string          `json:"unsupported,omitempty"` // what the torrent has and kouzui does not use
}

type fileDescription struct {
	Index      int    `json:"index"` // as --select takes it
	Path       string `json:"path"`
	Length     int64  `json:"length"`
	Padding    bool   `json:"padding,omitempty"`
	Executable bool   `json:"executable,omitempty"`
	Link       string `json:"link,omitempty"` // what a symbolic link leads to, from the folder of the link
}

func describe(t *metainfo.Torrent) description {
	d := description{
		V: 1, Hash: t.InfoHash.String(), Name: t.Name, Length: t.Length,
		PieceLength: t.PieceLength, Pieces: t.PieceCount(), Single: t.Single, Private: t.Private,
		Comment: t.Comment, CreatedBy: t.CreatedBy,
		Trackers: append([][]string{}, t.Announce...), Warnings: append([]string{}, t.Warnings...),
		Unsupported: append([]string{}, t.Unsupported...), WebSeeds: t.WebSeeds,
	}
	if !t.Private {
		d.Magnet = magnet.Of(t).String()
	}
	if !t.CreationDate.IsZero() {
		d.Created = t.CreationDate.Format(time.RFC3339)
	}
	for i, f := range t.Files {
		d.Files = append(d.Files, fileDescription{i, strings.Join(f.Path, "/"), f.Length, f.Padding, f.Executable, f.Link})
	}
	return d
}

// writeJSON writes the description on one line.
func (d *description) writeJSON(w io.Writer) error { return report.Write(w, d) }

// write writes the description for people.
func (d *description) write(w io.Writer) error {
	var b strings.Builder
	row := func(key, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s "+format+"\n", append([]any{key}, args...)...)
	}
	row("name", "%s", d.Name)
	row("info hash", "%s", d.Hash)
	if d.Magnet != "" {
		row("magnet", "%s", d.Magnet)
	}
	row("size", "%s (%s)", units.Bytes(d.Length), bytes(d.Length))
	row("pieces", "%d of %s", d.Pieces, units.Bytes(d.PieceLength))
	if d.Private {
		row("private", "yes")
	}
	for _, r := range [][2]string{{"comment", d.Comment}, {"created by", d.CreatedBy}, {"created", d.Created}} {
		if r[1] != "" {
			row(r[0], "%s", r[1])
		}
	}
	for i, tier := range d.Trackers {
		row("tracker", "%s%s", metainfo.Clean(strings.Join(tier, ", "), 4096), tierMark(i, len(d.Trackers)))
	}
	for _, url := range d.WebSeeds {
		row("web seed", "%s", metainfo.Clean(url, 4096))
	}
	for _, warning := range d.Warnings {
		row("warning", "%s", warning)
	}
	for _, text := range d.Unsupported {
		row("unsupported", "%s", text)
	}
	files := slices.DeleteFunc(slices.Clone(d.Files), func(f fileDescription) bool { return f.Padding })
	row("files", "%d", len(files))
	digits := len(strconv.Itoa(len(d.Files)))
	for _, f := range files {
		size, path := units.Bytes(f.Length), f.Path
		switch {
		case f.Link != "":
			size, path = "link", path+" -> "+f.Link
		case f.Executable:
			path += " (executable)"
		}
		fmt.Fprintf(&b, "  %*d  %10s  %s\n", digits, f.Index, size, path)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func tierMark(i, n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (tier %d)", i+1)
}
