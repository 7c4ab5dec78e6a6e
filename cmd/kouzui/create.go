package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/units"
	"kouzui/wire/metainfo"
)

type createFlags struct {
	output      outputFlags
	out         string
	force       bool
	pieceLength string
	trackers    []string
	private     bool
	comment     string
	name        string
	date        string
}

func newCreate() *cobra.Command {
	var f createFlags
	c := &cobra.Command{
		Use:   "create PATH",
		Short: "Make a torrent of a file or a folder",
		Long: `Make a torrent of a file, or of all files in a folder and below it, sorted by
name. Symbolic links are left out with a warning. The path of the .torrent is
written to stdout.

Each --tracker is a tier of its own; URLs with commas between them share a tier.
The same content, name and --date make the same torrent, byte by byte.`,
		Example: `  kouzui create album/ --tracker http://127.0.0.1:6969/announce
  kouzui create disc.iso -o disc.torrent --piece-length 1M --date 2026-01-01T00:00:00Z
  kouzui create album/ --tracker http://a/announce,http://b/announce --tracker http://c/announce`,
		Args: arguments(1, 1, "one file or folder"),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	c.Flags().StringVarP(&f.out, "output", "o", "", "`FILE` to write (- is stdout; default NAME.torrent in this folder)")
	c.Flags().BoolVarP(&f.force, "force", "f", false, "replace the file if it exists")
	c.Flags().StringVar(&f.pieceLength, "piece-length", "auto", "a power of two from 1K to 1G, or auto")
	c.Flags().StringArrayVar(&f.trackers, "tracker", nil, "announce `URL`s, with commas between those of one tier (repeatable)")
	c.Flags().BoolVar(&f.private, "private", false, "peers come from the trackers only (BEP 27)")
	c.Flags().StringVar(&f.comment, "comment", "", "a `TEXT` that others will see")
	c.Flags().StringVar(&f.name, "name", "", "`NAME` of the torrent (default that of PATH)")
	c.Flags().StringVar(&f.date, "date", "now", "creation date: now, none, RFC 3339 or seconds since 1970 (default also SOURCE_DATE_EPOCH)")
	f.output.bind(c)
	f.output.bindJSON(c)
	return c
}

func (f *createFlags) run(c *cobra.Command, path string) error {
	date, err := f.creationDate()
	if err != nil {
		return err
	}
	out, err := f.output.open(c)
	if err != nil {
		return err
	}
	defer out.close()
	content, err := findContent(path, out.warn)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	if f.name != "" {
		content.name = f.name
	}
	pieceLength, err := f.choosePieceLength(content.total)
	if err != nil {
		return err
	}
	target, err := openTarget(f.out, content.name, f.force)
	if err != nil {
		return err
	}
	defer target.discard()

	stop := listenToSignals()
	defer stop.close()
	ctx, cancel := stop.context()
	defer cancel()
	pieces, err := hashContent(ctx, out, content, pieceLength)
	if err != nil {
		return err
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: content.name, Files: content.files, Single: content.single, PieceLength: pieceLength, Pieces: pieces,
		Announce: f.tiers(), Private: f.private, Comment: f.comment,
		CreatedBy: "kouzui " + actors.Version, CreationDate: date,
	})
	if err != nil {
		return err
	}
	t, err := metainfo.Parse(raw)
	if err != nil {
		return err
	}
	return f.finish(out, target, t, raw)
}

// finish writes the torrent, and says what it is.
func (f *createFlags) finish(out *output, target *target, t *metainfo.Torrent, raw []byte) error {
	if err := target.write(raw, out.stdout); err != nil {
		return err
	}
	out.say("%s: %s in %s, %s of %s, info hash %s", t.Name, units.Bytes(t.Length), units.Count(len(t.Files), "file"), units.Count(t.PieceCount(), "piece"), units.Bytes(t.PieceLength), t.InfoHash)
	switch {
	case target.path == "-":
		return nil
	case f.output.json:
		d := describe(t)
		d.Path = target.path
		return d.writeJSON(out.stdout)
	}
	out.result("%s", target.path)
	return nil
}

func (f *createFlags) creationDate() (time.Time, error) {
	text := f.date
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); text == "now" && epoch != "" {
		text = epoch
	}
	switch text {
	case "now":
		return time.Now(), nil
	case "none":
		return time.Time{}, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds > 0 {
		return time.Unix(seconds, 0), nil
	}
	date, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return date, usagef("", "the date %q is not now, none, RFC 3339 or seconds since 1970", text)
	}
	return date, nil
}

func (f *createFlags) choosePieceLength(total int64) (int64, error) {
	if f.pieceLength == "auto" {
		return metainfo.ChoosePieceLength(total), nil
	}
	n, err := units.ParseBytes(f.pieceLength)
	if err != nil {
		return 0, usagef("", "--piece-length: %w", err)
	}
	if n < 1<<10 || n > metainfo.MaxPieceLength || n&(n-1) != 0 {
		return 0, usagef("", "--piece-length %s is no power of two from 1K to 1G", f.pieceLength)
	}
	return n, nil
}

func (f *createFlags) tiers() [][]string {
	var tiers [][]string
	for _, tier := range f.trackers {
		tiers = append(tiers, strings.Split(tier, ","))
	}
	return tiers
}

// content is what a torrent is made of.
type content struct {
	hashing.Content // in the order of files
	name            string
	single          bool
	files           []metainfo.FileSpec
	total           int64
}

// findContent follows the link that path may be, and none below it.
func findContent(path string, warn func(string)) (c *content, err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	actual, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(actual)
	if err != nil {
		return nil, err
	}
	c = &content{name: filepath.Base(absolute)}
	defer func() {
		if err != nil && c.Folder != nil {
			c.Folder.Close()
		}
	}()
	switch {
	case info.Mode().IsRegular():
		c.single = true
		if c.Folder, err = real.OpenExisting(filepath.Dir(actual)); err == nil {
			c.add(nil, filepath.Base(actual), info.Size())
		}
	case info.IsDir():
		if c.Folder, err = real.OpenExisting(actual); err == nil {
			err = c.walk(actual, warn)
		}
	default:
		err = failf(exitOther, "%s is neither a file nor a folder", path)
	}
	if err == nil && c.total == 0 {
		err = failf(exitOther, "%s has no content", path)
	}
	return c, err
}

func (c *content) add(parts []string, name string, size int64) {
	c.files = append(c.files, metainfo.FileSpec{Path: parts, Length: size})
	c.Files = append(c.Files, hashing.File{Name: name, Length: size})
	c.total += size
}

func (c *content) walk(root string, warn func(string)) error {
	type found struct {
		parts []string
		size  int64
	}
	var list []found
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return nil
		case !e.Type().IsRegular():
			warn(fmt.Sprintf("%s is no regular file and is left out", path))
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		list = append(list, found{strings.Split(filepath.ToSlash(below), "/"), info.Size()})
		return nil
	})
	slices.SortFunc(list, func(a, b found) int { return slices.Compare(a.parts, b.parts) })
	for _, f := range list {
		c.add(f.parts, strings.Join(f.parts, "/"), f.size)
	}
	return err
}

// hashContent returns the hashes of all pieces, end to end.
func hashContent(ctx context.Context, out *output, c *content, pieceLength int64) ([]byte, error) {
	n := hashing.Count(c.total, pieceLength)
	if n > metainfo.MaxPieces {
		return nil, usagef("Choose a larger --piece-length.", "%d pieces are more than a torrent can have (%d)", n, metainfo.MaxPieces)
	}
	sums := make([]byte, n*len(metainfo.Hash{}))
	steps := newSteps(out, c.name, n)
	defer steps.close()
	err := hashing.Pieces(ctx, c.Content, pieceLength, func(p hashing.Piece) error {
		if p.Err != nil {
			return readFailed(c.Files[p.File].Name, p.Err)
		}
		copy(sums[p.Index*len(p.Sum):], p.Sum[:])
		steps.done()
		return nil
	})
	if errors.Is(err, context.Canceled) {
		return nil, errInterrupted
	}
	return sums, err
}

func readFailed(path string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return failf(exitIO, "%s became shorter while it was read", path)
	}
	return err
}

// target is where a torrent is written to. It is opened first, as hashing may
// take long, and gets its name last.
type target struct {
	path string
	temp *os.File // nil: it is not a file, and is written to as it is
}

func openTarget(path, name string, force bool) (*target, error) {
	if path == "-" {
		return &target{path: path}, nil
	}
	if path == "" {
		path = name + ".torrent"
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return &target{path: path}, nil // a device or a pipe must not be replaced
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return nil, &failure{code: exitForeign, err: fmt.Errorf("%s exists", path), hint: "--force replaces it."}
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fail(exitCreate, err)
	}
	return &target{path: path, temp: temp}, nil
}

func (t *target) write(raw []byte, stdout io.Writer) error {
	switch {
	case t.path == "-":
		_, err := stdout.Write(raw)
		return err
	case t.temp == nil:
		return fail(exitIO, os.WriteFile(t.path, raw, 0))
	}
	_, err := t.temp.Write(raw)
	if err == nil {
		err = t.temp.Chmod(0o644)
	}
	if err = errors.Join(err, t.temp.Close()); err != nil {
		return fail(exitIO, err)
	}
	return fail(exitCreate, os.Rename(t.temp.Name(), t.path))
}

// discard takes away what was not finished.
func (t *target) discard() {
	if t.temp != nil {
		t.temp.Close()
		os.Remove(t.temp.Name()) // fails when it has got its name
	}
}
