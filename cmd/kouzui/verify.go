package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/wire/metainfo"
)

func newVerify() *cobra.Command {
	var (
		o   outputFlags
		dir string
	)
	c := &cobra.Command{
		Use:   "verify TORRENT",
		Short: "Check data against a torrent",
		Long: `Hash the data in --dir and compare it with a torrent. Nothing is written, and no
journal is believed. The exit code is 0 if all is right, 32 if something is wrong or
missing: then the files that are concerned stand on stdout, each with its wrong
pieces.`,
		Example: `  kouzui verify album.torrent --dir ~/Music
  kouzui verify album.torrent -d ~/Music --json | jq .wrong_pieces`,
		Args: arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error { return verify(c, &o, args[0], dir) },
	}
	c.Flags().StringVarP(&dir, "dir", "d", ".", "`FOLDER` of the data")
	o.bind(c)
	o.bindJSON(c)
	return c
}

// findings are what verify found.
type findings struct {
	V      int            `json:"v"`
	Hash   string         `json:"info_hash"`
	Name   string         `json:"name"`
	Path   string         `json:"path"`
	OK     bool           `json:"ok"`
	Pieces int            `json:"pieces"`
	Wrong  []int          `json:"wrong_pieces"`
	Files  []wrongContent `json:"wrong_files"`
}

// wrongContent is a file of which something is wrong.
type wrongContent struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Wrong  []int  `json:"wrong_pieces"`
}

func verify(c *cobra.Command, o *outputFlags, from, dir string) error {
	out, err := o.open(c)
	if err != nil {
		return err
	}
	defer out.close()
	stop := listenToSignals()
	defer stop.close()
	ctx, cancel := stop.context()
	defer cancel()
	t, err := load(ctx, from, c.InOrStdin())
	if err != nil {
		return err
	}
	content, base, err := findData(t, dir)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	found, err := compare(ctx, out, t, content)
	if found != nil {
		found.Path = filepath.Join(dir, filepath.FromSlash(base))
	}
	if err != nil {
		return err
	}
	if o.json {
		err = report.Write(out.stdout, found)
	} else {
		err = found.write(out)
	}
	if err == nil && !found.OK {
		err = failf(exitMismatch, "%s: %d of %d pieces are wrong or missing", t.Name, len(found.Wrong), found.Pieces)
	}
	return err
}

// findData is where the torrent's data is: complete, or on its way.
func findData(t *metainfo.Torrent, dir string) (content hashing.Content, base string, err error) {
	folder, err := real.OpenExisting(dir)
	if err != nil {
		return content, "", err
	}
	for _, base := range []string{t.Name, t.PartName()} {
		if _, err = folder.Stat(base); err == nil {
			return hashing.Content{Folder: folder, Files: contentAt(folder, t, base)}, base, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	folder.Close()
	if errors.Is(err, fs.ErrNotExist) {
		err = failf(exitNotFound, "%s: there is nothing", filepath.Join(dir, t.Name))
	}
	return content, "", err
}

// contentAt are the files of a torrent under base, by the names that a download
// gives them in this folder.
func contentAt(folder world.Folder, t *metainfo.Torrent, base string) []hashing.File {
	if world.Folds(folder, t.JournalName(), base) {
		t = t.Folded()
	}
	files := make([]hashing.File, len(t.Files))
	for i, f := range t.Files {
		files[i].Length = f.Length
		switch {
		case f.Padding:
		case t.Single:
			files[i].Name = base
		default:
			files[i].Name = base + "/" + strings.Join(f.Path, "/")
		}
	}
	return files
}

func compare(ctx context.Context, out *output, t *metainfo.Torrent, content hashing.Content) (*findings, error) {
	found := &findings{
		V: 1, Hash: t.InfoHash.String(), Name: t.Name, Pieces: t.PieceCount(),
		Wrong: []int{}, Files: []wrongContent{},
	}
	wrong := make([]bool, t.PieceCount())
	steps := newSteps(out, t.Name, t.PieceCount())
	err := hashing.Pieces(ctx, content, t.PieceLength, func(p hashing.Piece) error {
		steps.done()
		switch {
		case p.Err == nil:
			wrong[p.Index] = p.Sum != t.PieceHash(p.Index)
		case errors.Is(p.Err, fs.ErrNotExist), errors.Is(p.Err, io.ErrUnexpectedEOF), errors.Is(p.Err, world.ErrNotRegular):
			wrong[p.Index] = true
		default:
			return p.Err
		}
		return nil
	})
	steps.close()
	if errors.Is(err, context.Canceled) {
		return nil, errInterrupted
	}
	if err != nil {
		return nil, err
	}
	for i, w := range wrong {
		if w {
			found.Wrong = append(found.Wrong, i)
		}
	}
	for i := range t.Files {
		found.file(t, i, content, wrong)
	}
	found.OK = len(found.Wrong) == 0 && len(found.Files) == 0
	return found, nil
}

// file notes what is wrong with one file. Its length counts too, as hashes say
// nothing of empty files and of what comes after the end.
func (f *findings) file(t *metainfo.Torrent, index int, content hashing.Content, wrong []bool) {
	file := &t.Files[index]
	if file.Padding {
		return
	}
	bad := wrongContent{Path: strings.Join(file.Path, "/"), Wrong: []int{}}
	info, err := content.Folder.Stat(content.Files[index].Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		bad.Reason = "missing"
	case err != nil:
		bad.Reason = err.Error()
	case !info.Mode.IsRegular():
		bad.Reason = "no regular file"
	case info.Size != file.Length:
		bad.Reason = fmt.Sprintf("%d bytes instead of %d", info.Size, file.Length)
	}
	first, end := t.FilePieces(index)
	for p := first; p < end; p++ {
		if wrong[p] {
			bad.Wrong = append(bad.Wrong, p)
		}
	}
	if bad.Reason == "" && len(bad.Wrong) > 0 {
		bad.Reason = "wrong content"
	}
	if bad.Reason != "" {
		f.Files = append(f.Files, bad)
	}
}

// write lists the files that are wrong, or says on stderr that none is.
func (f *findings) write(out *output) error {
	if f.OK {
		out.say("%s: all %d pieces are right", f.Name, f.Pieces)
	}
	var list strings.Builder
	for _, bad := range f.Files {
		fmt.Fprintf(&list, "%s: %s", bad.Path, bad.Reason)
		if len(bad.Wrong) > 0 {
			fmt.Fprintf(&list, ", wrong pieces %s", ranges(bad.Wrong))
		}
		list.WriteByte('\n')
	}
	_, err := io.WriteString(out.stdout, list.String())
	return err
}

// ranges prints rising numbers as "0-3, 7, 9-10".
func ranges(numbers []int) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, numbers[i])
		if j > i {
			fmt.Fprintf(&b, "-%d", numbers[j])
		}
		i = j + 1
	}
	return b.String()
}
