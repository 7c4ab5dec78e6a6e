package torrents

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/wire/metainfo"
)

// NewVerify makes the command verify.
func NewVerify() *cobra.Command {
	var (
		o   output.Flags
		dir string
	)
	c := &cobra.Command{
		Use:   "verify TORRENT",
		Short: "Check data against a torrent",
		Long: `Hash the data in --dir and compare it with a torrent. Nothing is written, and
all data is hashed, whatever an earlier download has verified. The exit code is
0 if all pieces are right, and 32 if any piece is wrong or missing; then each
affected file is written to stdout with its wrong pieces.`,
		Example: `  kouzui verify album.torrent --dir ~/Music
  kouzui verify album.torrent -d ~/Music --json | jq .wrong_pieces`,
		Args: flags.Arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error {
			return command.Do(c, &o, func(r *command.Run) error { return verify(r, o.JSON, args[0], dir) })
		},
	}
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		f.StringVarP(&dir, "dir", "d", ".", "check the data in `FOLDER`")
	})
	o.Bind(c, true)
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

// wrongContent is a file that is not as the torrent describes it.
type wrongContent struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Wrong  []int  `json:"wrong_pieces"`
}

func verify(r *command.Run, asJSON bool, from, dir string) error {
	t, err := load.One(r.Context, from, r.Stdin)
	if err != nil {
		return err
	}
	content, base, err := findData(t, dir)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	found, err := compare(r, t, content)
	if err != nil {
		return err
	}
	found.Path = filepath.Join(dir, filepath.FromSlash(base))
	if asJSON {
		err = report.Write(r.Stdout, found)
	} else {
		err = found.write(r.Output)
	}
	if err == nil && !found.OK {
		err = exit.Errorf(exit.Mismatch, "%s: %d of %d pieces are wrong or missing", t.Name, len(found.Wrong), found.Pieces)
	}
	return err
}

// findData finds the data of a torrent: complete, or as an unfinished download
// calls it.
func findData(t *metainfo.Torrent, dir string) (content hashing.Content, base string, err error) {
	folder, err := real.OpenExisting(dir)
	if err != nil {
		return content, "", err
	}
	for _, base := range []string{t.Name, t.PartName()} {
		if _, err = folder.Stat(base); err == nil {
			return contentAt(folder, t, base), base, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	folder.Close()
	if errors.Is(err, fs.ErrNotExist) {
		err = exit.Errorf(exit.NotFound, "%s does not exist", filepath.Join(dir, t.Name))
	}
	return content, "", err
}

func compare(r *command.Run, t *metainfo.Torrent, content hashing.Content) (*findings, error) {
	found := &findings{
		V: 1, Hash: t.InfoHash.String(), Name: t.Name, Pieces: t.PieceCount(),
		Wrong: []int{}, Files: []wrongContent{},
	}
	wrong := make([]bool, t.PieceCount())
	shown := progress.NewHashing(r.Output, t.Name, t.PieceCount())
	err := hashing.Pieces(r.Context, content, t.PieceLength, func(p hashing.Piece) error {
		shown.Done()
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
	shown.Close()
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

// file notes what is wrong with one file. The length of the file is compared as
// well: hashes cover neither empty files nor bytes behind the end of a file.
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
		bad.Reason = "not a regular file"
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

// write lists the wrong files on stdout, or says on stderr that all pieces are
// right.
func (f *findings) write(out *output.Output) error {
	if f.OK {
		out.Say("%s: all %d pieces are right", f.Name, f.Pieces)
	}
	var list strings.Builder
	for _, bad := range f.Files {
		fmt.Fprintf(&list, "%s: %s", bad.Path, bad.Reason)
		if len(bad.Wrong) > 0 {
			fmt.Fprintf(&list, ", wrong pieces %s", ranges(bad.Wrong))
		}
		list.WriteByte('\n')
	}
	_, err := io.WriteString(out.Stdout, list.String())
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
