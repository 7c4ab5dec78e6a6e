// Package torrents is the commands that make torrents and look into them:
// create, info, verify and split. None of them runs a client, but info of a
// magnet link does.
package torrents

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"kouzui"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/wire/metainfo"
)

type createFlags struct {
	output      output.Flags
	out         string
	force       bool
	pieceLength string
	trackers    []string
	webSeeds    []string
	private     bool
	comment     string
	name        string
	date        string
	source      string
	align       bool
	leave       leaving
}

// NewCreate makes the command create.
func NewCreate() *cobra.Command {
	var o createFlags
	c := &cobra.Command{
		Use:   "create PATH",
		Short: "Make a torrent of a file or a folder",
		Long: `Make a torrent of a file, or of all files in a folder and its subfolders. Files
are sorted by name. Left out are the journals and locks of Kouzui and what
systems put into folders, such as .DS_Store and Thumbs.db, unless there is
--all. Symbolic links that stay in the folder are links in the torrent (BEP 47),
others are left out with a warning; files that can be run are marked so. The
path of the .torrent is written to stdout.

Each --tracker is a tier of its own; commas separate the URLs of one tier. The
same content, --name and --date always give the same torrent, byte by byte.`,
		Example: `  kouzui create album/ --tracker http://127.0.0.1:6969/announce
  kouzui create disc.iso -o disc.torrent --piece-length 1M --date none
  kouzui create album/ --tracker http://a/announce,http://b/announce
  kouzui create disc.iso --web-seed https://mirror.example/pub/disc.iso
  kouzui create project/ --exclude '*.o' --exclude build`,
		Args: flags.Arguments(1, 1, "one file or folder"),
		RunE: func(c *cobra.Command, args []string) error {
			return command.Do(c, &o.output, func(r *command.Run) error { return o.run(r, args[0]) })
		},
	}
	flags.Group(c, "The torrent", func(f *pflag.FlagSet) {
		f.StringArrayVar(&o.trackers, "tracker", nil, "`URL`s of one tier of trackers, separated by commas (repeatable)")
		f.StringArrayVar(&o.webSeeds, "web-seed", nil, "`URL` of a server that has the content (BEP 19): of the file, or of the folder that the file or the folder of the torrent lies in, with a / at its end (repeatable)")
		f.BoolVar(&o.private, "private", false, "clients may find peers through the trackers only (BEP 27)")
		f.StringVar(&o.comment, "comment", "", "a `TEXT` that others will see")
		f.StringVar(&o.name, "name", "", "`NAME` of the torrent (default that of PATH)")
		f.StringArrayVar(&o.leave.exclude, "exclude", nil, "leave out what matches `GLOB`, by name, or by path if it has a slash (repeatable)")
		f.BoolVar(&o.leave.all, "all", false, "take also what Kouzui and systems keep for themselves")
		f.StringVar(&o.source, "source", "", "a `TEXT` that makes the info hash another one, for trackers that ask for it")
		f.BoolVar(&o.align, "align", false, "begin each file at a piece, with padding files (BEP 47)")
		f.StringVar(&o.pieceLength, "piece-length", "auto", "`SIZE` of a piece: a power of two from 1K to 1G, or auto")
		f.StringVar(&o.date, "date", "now", "creation `DATE`: now, none, RFC 3339 or seconds since 1970 (SOURCE_DATE_EPOCH in the environment replaces now)")
	})
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.StringVarP(&o.out, "output", "o", "", "`FILE` to write (- is stdout; default NAME.torrent in the current folder)")
		f.BoolVarP(&o.force, "force", "f", false, "replace the file if it exists")
	})
	o.output.Bind(c, true)
	return c
}

// run checks all that can be known, in the order in which that costs time,
// before it hashes anything.
func (o *createFlags) run(r *command.Run, path string) error {
	if o.output.JSON && o.out == "-" {
		return exit.Usagef("", "--json and --output - cannot both write to stdout")
	}
	spec, err := o.spec()
	if err != nil {
		return err
	}
	content, err := o.content(path, r.Warn)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	if spec.PieceLength == 0 {
		spec.PieceLength = metainfo.ChoosePieceLength(content.Length())
	}
	if o.align && !content.single {
		content.align(spec.PieceLength)
	}
	spec.Name, spec.Files, spec.Single = content.name, content.files, content.single
	n := hashing.Count(content.Length(), spec.PieceLength)
	if n > metainfo.MaxPieces {
		return exit.Usagef("Choose a larger --piece-length.", "the torrent would have %d pieces, and %d are the most that it can have", n, metainfo.MaxPieces)
	}
	if err := fits(spec); err != nil {
		return err
	}
	if err := content.readable(); err != nil {
		return err
	}
	var target *outfile.File
	if o.out != "-" {
		if target, err = outfile.Create(o.out, o.force); err != nil {
			return err
		}
		defer target.Discard()
	}
	shown := progress.NewHashing(r.Output, content.name, n)
	spec.Pieces, err = hashing.Sums(r.Context, content.Content, spec.PieceLength, shown.Done)
	shown.Close()
	if err != nil {
		return err
	}
	raw, err := metainfo.Encode(spec)
	if err != nil {
		return err
	}
	t, err := metainfo.Parse(raw)
	if err != nil {
		return err
	}
	return o.finish(r.Output, target, t, raw)
}

// spec is what the flags say of the torrent. A piece length of 0 stands for
// auto.
func (o *createFlags) spec() (spec metainfo.Spec, err error) {
	spec = metainfo.Spec{Private: o.private, Comment: o.comment, Source: o.source, CreatedBy: "kouzui " + kouzui.Version}
	if spec.CreationDate, err = o.creationDate(); err != nil {
		return spec, err
	}
	if spec.PieceLength, err = o.choosePieceLength(); err != nil {
		return spec, err
	}
	if spec.Announce, err = flags.Tiers(o.trackers, metainfo.TrackerSchemes()...); err != nil {
		return spec, err
	}
	if spec.WebSeeds, err = flags.WebSeeds(o.webSeeds); err != nil {
		return spec, err
	}
	if o.out != "-" && o.out != "" {
		err = outfile.Check(o.out, o.force)
	}
	return spec, errors.Join(err, o.leave.check())
}

// content is what the torrent is made of. It sets the path of the .torrent, if
// the user has not.
func (o *createFlags) content(path string, warn func(string)) (*content, error) {
	if o.out == "" {
		name := o.name
		if name == "" {
			absolute, err := filepath.Abs(path)
			if err != nil {
				return nil, err
			}
			name = filepath.Base(absolute)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < utf8.RuneSelf && os.IsPathSeparator(uint8(r)) }) {
			return nil, exit.Usagef("", "the name of a torrent cannot have a separator in it, as %q has", name)
		}
		o.out = fileName(name)
		if err := outfile.Check(o.out, o.force); err != nil {
			return nil, err
		}
	}
	if err := outfile.Spares(o.out, path); err != nil {
		return nil, err
	}
	o.leave.output = o.out
	content, err := findContent(path, &o.leave, warn)
	if err == nil && o.name != "" {
		content.name = o.name
	}
	return content, err
}

// fits says what of the torrent a reader would change or refuse, before
// anything is hashed.
func fits(spec metainfo.Spec) error {
	draft, err := metainfo.Draft(spec)
	if err != nil {
		return exit.Errorf(exit.Usage, "the torrent cannot be made: %w", err)
	}
	if draft.Name != spec.Name {
		return exit.Usagef("--name gives the torrent another name.", "%q cannot be the name of a torrent: a download would call it %q", spec.Name, draft.Name)
	}
	var unfit []string
	for i, f := range draft.Files {
		if path := spec.Files[i].Path; !spec.Single && !spec.Files[i].Padding && !slices.Equal(f.Path, path) {
			unfit = append(unfit, fmt.Sprintf("%q", strings.Join(path, "/")))
		}
	}
	if len(unfit) > 0 {
		return exit.Usagef("Rename what is named, or leave it out with --exclude. Names must be UTF-8, without control characters and what cannot be seen.",
			"a torrent cannot hold these names as they are: %s", few(unfit))
	}
	if len(draft.Warnings) > 0 {
		return exit.Errorf(exit.Usage, "the torrent cannot be made as it is: %s", draft.Warnings[0])
	}
	return nil
}

// fileName is what the torrent of content called name is called. A name without
// room for the extension is cut, and a part of its hash added to keep it
// unique.
func fileName(name string) string {
	const extension = ".torrent"
	if len(name)+len(extension) <= metainfo.MaxPathPart {
		return name + extension
	}
	mark := fmt.Sprintf("~%.4x", sha1.Sum([]byte(name)))
	for len(name)+len(mark)+len(extension) > metainfo.MaxPathPart {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name + mark + extension
}

// finish writes the torrent, to stdout if target is nil, and tells the user
// what is in it.
func (o *createFlags) finish(out *output.Output, target *outfile.File, t *metainfo.Torrent, raw []byte) error {
	if target == nil {
		if _, err := out.Stdout.Write(raw); err != nil {
			return err
		}
	} else {
		if _, err := target.Write(raw); err != nil {
			return err
		}
		if err := target.Commit(); err != nil {
			return err
		}
	}
	out.Say("%s: %s in %s, %s of %s, info hash %s", t.Name, units.Bytes(t.Length), units.Count(filesOnDisk(t), "file"), units.Count(t.PieceCount(), "piece"), units.Bytes(t.PieceLength), t.InfoHash)
	d := describe(t)
	if d.Magnet != "" {
		out.Say("magnet link: %s", d.Magnet)
	}
	switch {
	case target == nil:
		return nil
	case o.output.JSON:
		d.Path = o.out
		return d.writeJSON(out.Stdout)
	}
	out.Result("%s", o.out)
	return nil
}

// filesOnDisk is how many files a torrent has on disk.
func filesOnDisk(t *metainfo.Torrent) int {
	n := 0
	for i := range t.Files {
		if !t.Files[i].Padding {
			n++
		}
	}
	return n
}

func (o *createFlags) creationDate() (time.Time, error) {
	text, what := strings.TrimSpace(o.date), "--date"
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); text == "now" && epoch != "" {
		text, what = epoch, "SOURCE_DATE_EPOCH"
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
		return date, exit.Usagef("", "%s %q must be now, none, a date such as 2026-01-31T12:00:00Z, or seconds since 1970", what, text)
	}
	return date, nil
}

// choosePieceLength is 0 for auto.
func (o *createFlags) choosePieceLength() (int64, error) {
	if o.pieceLength == "auto" {
		return 0, nil
	}
	n, err := units.ParseBytes(o.pieceLength)
	if err != nil {
		return 0, exit.Usagef("", "--piece-length: %w", err)
	}
	if n < 1<<10 || n > metainfo.MaxPieceLength || n&(n-1) != 0 {
		return 0, exit.Usagef("", "--piece-length %s must be a power of two from 1K to 1G", o.pieceLength)
	}
	return n, nil
}
