// Package torrents is the commands that make torrents and look into them:
// create, info, verify and split. None of them runs a client.
package torrents

import (
	"kouzui"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/cmd/kouzui/internal/units"
	"kouzui/wire/metainfo"
)

type createFlags struct {
	output      output.Flags
	out         string
	force       bool
	pieceLength string
	trackers    []string
	private     bool
	comment     string
	name        string
	date        string
}

// NewCreate makes the command create.
func NewCreate() *cobra.Command {
	var o createFlags
	c := &cobra.Command{
		Use:   "create PATH",
		Short: "Make a torrent of a file or a folder",
		Long: `Make a torrent of a file, or of all files in a folder and its subfolders. Files
are sorted by name. Symbolic links are left out with a warning. The path of the
.torrent is written to stdout.

Each --tracker is a tier of its own; commas separate the URLs of one tier. The
same content, --name and --date always give the same torrent, byte by byte.`,
		Example: `  kouzui create album/ --tracker http://127.0.0.1:6969/announce
  kouzui create disc.iso -o disc.torrent --piece-length 1M --date 2026-01-01T00:00:00Z
  kouzui create album/ --tracker http://a/announce,http://b/announce --tracker http://c/announce`,
		Args: flags.Arguments(1, 1, "one file or folder"),
		RunE: func(c *cobra.Command, args []string) error {
			return command.Do(c, &o.output, func(r *command.Run) error { return o.run(r, args[0]) })
		},
	}
	flags.Group(c, "The torrent", func(f *pflag.FlagSet) {
		f.StringArrayVar(&o.trackers, "tracker", nil, "`URL`s of one tier of trackers, separated by commas (repeatable)")
		f.BoolVar(&o.private, "private", false, "clients may find peers through the trackers only (BEP 27)")
		f.StringVar(&o.comment, "comment", "", "a `TEXT` that others will see")
		f.StringVar(&o.name, "name", "", "`NAME` of the torrent (default that of PATH)")
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

func (o *createFlags) run(r *command.Run, path string) error {
	date, err := o.creationDate()
	if err != nil {
		return err
	}
	content, err := findContent(path, r.Warn)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	if o.name != "" {
		content.name = o.name
	}
	pieceLength, err := o.choosePieceLength(content.Length())
	if err != nil {
		return err
	}
	target, err := openTarget(o.out, content.name, o.force)
	if err != nil {
		return err
	}
	defer target.discard()

	n := hashing.Count(content.Length(), pieceLength)
	if n > metainfo.MaxPieces {
		return exit.Usagef("Choose a larger --piece-length.", "the torrent would have %d pieces, and %d are the most that it can have", n, metainfo.MaxPieces)
	}
	shown := progress.NewHashing(r.Output, content.name, n)
	pieces, err := hashing.Sums(r.Context, content.Content, pieceLength, shown.Done)
	shown.Close()
	if err != nil {
		return err
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: content.name, Files: content.files, Single: content.single, PieceLength: pieceLength, Pieces: pieces,
		Announce: o.tiers(), Private: o.private, Comment: o.comment,
		CreatedBy: "kouzui " + kouzui.Version, CreationDate: date,
	})
	if err != nil {
		return err
	}
	t, err := metainfo.Parse(raw)
	if err != nil {
		return err
	}
	return o.finish(r.Output, target, t, raw)
}

// finish writes the torrent, and tells the user what is in it.
func (o *createFlags) finish(out *output.Output, target *target, t *metainfo.Torrent, raw []byte) error {
	if err := target.write(raw, out.Stdout); err != nil {
		return err
	}
	out.Say("%s: %s in %s, %s of %s, info hash %s", t.Name, units.Bytes(t.Length), units.Count(len(t.Files), "file"), units.Count(t.PieceCount(), "piece"), units.Bytes(t.PieceLength), t.InfoHash)
	switch {
	case target.path == "-":
		return nil
	case o.output.JSON:
		d := describe(t)
		d.Path = target.path
		return d.writeJSON(out.Stdout)
	}
	out.Result("%s", target.path)
	return nil
}

func (o *createFlags) creationDate() (time.Time, error) {
	text := o.date
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
		return date, exit.Usagef("", "the date %q must be now, none, a date such as 2026-01-31T12:00:00Z, or seconds since 1970", text)
	}
	return date, nil
}

func (o *createFlags) choosePieceLength(total int64) (int64, error) {
	if o.pieceLength == "auto" {
		return metainfo.ChoosePieceLength(total), nil
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

func (o *createFlags) tiers() [][]string {
	var tiers [][]string
	for _, tier := range o.trackers {
		tiers = append(tiers, strings.Split(tier, ","))
	}
	return tiers
}
