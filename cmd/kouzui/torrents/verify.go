package torrents

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/bits-and-blooms/bitset"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/units"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/place"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// NewVerify makes the command verify.
func NewVerify() *cobra.Command {
	var (
		o    output.Flags
		dir  string
		from flags.Source
		only flags.Files
	)
	c := &cobra.Command{
		Use:   "verify TORRENT",
		Short: "Check data against a torrent",
		Long: `Hash the data in --dir and compare it with a torrent. Nothing is written, and
all data is hashed, whatever an earlier download has verified. The exit code is
0 if all pieces are right, and 32 if any piece is wrong or missing; then each
affected file is written to stdout with its wrong pieces. With --select or
--exclude, only the chosen files have to be right.`,
		Example: `  kouzui verify album.torrent --dir ~/Music
  kouzui verify album.torrent -d ~/Music --json | jq .wrong_pieces`,
		Args: flags.Arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error {
			return command.Do(c, &o, func(r *command.Run) error { return verify(r, o.JSON, &from, &only, args[0], dir) })
		},
	}
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		f.StringVarP(&dir, "dir", "d", ".", "check the data in `FOLDER`")
		only.Bind(f, "check")
	})
	flags.Group(c, "Network", from.BindFetch)
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

func verify(r *command.Run, asJSON bool, from *flags.Source, only *flags.Files, torrent, dir string) error {
	chosen, err := only.Choice()
	if err != nil {
		return err
	}
	source, _, err := from.Open(r.Context, r.Warn)
	if err != nil {
		return err
	}
	t, err := load.One(r.Context, source, torrent, r.Stdin)
	if err != nil {
		return err
	}
	priorities, err := chosen.Resolve(t)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	wanted := choice.Of(t, priorities)
	content, base, err := findData(t, dir)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	names := content.Files
	chosenOnly(t, &content, wanted)
	found, err := compare(r, t, content, names, wanted.Files, dir)
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
		err = found.failure()
	}
	return err
}

// findData finds the data of a torrent: complete, or as an unfinished download
// calls it.
func findData(t *metainfo.Torrent, dir string) (content hashing.Content, base string, err error) {
	if err := place.Check(dir, t); err != nil {
		return content, "", err
	}
	folder, err := real.OpenExisting(dir)
	if err != nil {
		return content, "", err
	}
	base = t.Name
	if _, err := folder.Stat(base); errors.Is(err, fs.ErrNotExist) {
		base = t.PartName()
	}
	return contentAt(folder, t, base), base, nil
}

func compare(r *command.Run, t *metainfo.Torrent, content hashing.Content, names []hashing.File, wanted *bitset.BitSet, dir string) (*findings, error) {
	pieces := t.PieceCount()
	if content.Only != nil {
		pieces = int(content.Only.Count())
	}
	found := &findings{
		V: 1, Hash: t.InfoHash.String(), Name: t.Name, Pieces: pieces,
		Wrong: []int{}, Files: []wrongContent{},
	}
	wrong := make([]bool, t.PieceCount())
	shown := progress.NewHashing(r.Output, t.Name, pieces)
	err := hashing.Pieces(r.Context, content, t.PieceLength, func(p hashing.Piece) error {
		shown.Done()
		switch {
		case p.Err == nil:
			wrong[p.Index] = p.Sum != t.PieceHash(p.Index)
		case errors.Is(p.Err, fs.ErrNotExist), errors.Is(p.Err, io.ErrUnexpectedEOF), errors.Is(p.Err, world.ErrNotRegular), errors.Is(p.Err, world.ErrNotFolder):
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
	found.files(t, content.Folder, names, wanted, dir, wrong)
	found.OK = len(found.Wrong) == 0 && len(found.Files) == 0
	return found, nil
}

// files notes what is wrong with each file. A wrong piece that several files
// share does not tell which of them is wrong, unless one of them is found to be
// wrong by its length or by a piece of its own.
func (f *findings) files(t *metainfo.Torrent, folder world.Folder, names []hashing.File, wanted *bitset.BitSet, dir string, wrong []bool) {
	owners := make([]int, t.PieceCount()) // how many files have bytes in the piece
	for i := range t.Files {
		if first, end := t.FilePieces(i); !t.Files[i].Padding {
			for p := first; p < end; p++ {
				owners[p]++
			}
		}
	}
	all := make([]wrongContent, len(t.Files))
	blamed := make(map[int]string) // the shared wrong pieces that a wrong file explains, by its path
	for i := range t.Files {
		if wanted != nil && !wanted.Test(uint(i)) {
			continue
		}
		all[i] = fileAlone(t, i, names[i].Name, folder, dir, wrong)
		for _, p := range all[i].Wrong {
			if owners[p] == 1 && all[i].Reason == "" {
				all[i].Reason = "wrong content"
			}
		}
		if all[i].Reason != "" {
			for _, p := range all[i].Wrong {
				blamed[p] = all[i].Path
			}
		}
	}
	for _, bad := range all {
		if bad.Reason == "" && len(bad.Wrong) > 0 {
			bad.Reason = "wrong content, here or in a file that shares the piece"
			if by, ok := blamed[bad.Wrong[0]]; ok {
				bad.Reason = "may be right, shares a piece with " + by
			}
		}
		if bad.Reason != "" {
			f.Files = append(f.Files, bad)
		}
	}
}

// fileAlone says what is wrong with a file, looked at by itself. The length is
// compared as well: hashes cover neither empty files nor bytes behind the end
// of a file.
func fileAlone(t *metainfo.Torrent, index int, name string, folder world.Folder, dir string, wrong []bool) wrongContent {
	file := &t.Files[index]
	bad := wrongContent{Path: strings.Join(file.Path, "/"), Wrong: []int{}}
	if file.Padding {
		return bad
	}
	info, err := folder.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		bad.Reason = "missing"
	case errors.Is(err, world.ErrNotFolder):
		bad.Reason = "below what is no folder, or a link that leads out"
	case err != nil:
		bad.Reason = exit.OneLine(err)
	case file.Link != "":
		bad.Reason = place.WrongLink(filepath.Join(dir, filepath.FromSlash(name)), file.Link)
	case info.Mode&fs.ModeSymlink != 0:
		bad.Reason = "a symbolic link, which is not followed"
	case !info.Mode.IsRegular():
		bad.Reason = "not a regular file"
	case info.Size != file.Length:
		bad.Reason = fmt.Sprintf("%s instead of %d", bytes(info.Size), file.Length)
	}
	first, end := t.FilePieces(index)
	for p := first; p < end; p++ {
		if wrong[p] {
			bad.Wrong = append(bad.Wrong, p)
		}
	}
	return bad
}

// bytes counts bytes exactly.
func bytes(n int64) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// write lists the wrong files on stdout, or says on stderr that all pieces are
// right.
func (f *findings) write(out *output.Output) error {
	if f.OK {
		if f.Pieces == 1 {
			out.Say("%s: the only piece is right", f.Name)
		} else {
			out.Say("%s: all %d pieces are right", f.Name, f.Pieces)
		}
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

// failure is the error of data that is not as the torrent describes it.
func (f *findings) failure() error {
	if len(f.Wrong) == 0 { // an empty file, a link, or bytes behind the end of a file
		return exit.Errorf(exit.Mismatch, "%s: %s not as in the torrent", f.Name, units.Are(len(f.Files), "file"))
	}
	return exit.Errorf(exit.Mismatch, "%s: %s", f.Name, units.Wrong(len(f.Wrong), f.Pieces))
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
