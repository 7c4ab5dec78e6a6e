package torrents

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"

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
	"kouzui/cmd/kouzui/internal/place"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/wire/metainfo"
)

type splitFlags struct {
	output output.Flags
	data   string
	copies int
	out    string
	random bool
	seed   uint64
	source flags.Source
}

// NewSplit makes the command split.
func NewSplit() *cobra.Command {
	var o splitFlags
	c := &cobra.Command{
		Use:   "split TORRENT",
		Short: "Make incomplete copies that together are complete",
		Long: `Make N incomplete copies of complete data in the folders OUT/1 to OUT/N. Each
piece is in exactly one of the copies, so N clients that start on these copies
complete each other. Pieces are dealt in turn, or at random with --random; the
same --seed always deals them the same way. Each folder is written to stdout
with the number of its pieces.`,
		Example: `  kouzui split album.torrent --data ~/Music -n 3 --out /tmp/swarm
  kouzui download album.torrent -d /tmp/swarm/1 --until-peers-done`,
		Args: flags.Arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.out == "" {
				return exit.Usagef("", "split needs --out")
			}
			if o.copies < 1 {
				return exit.Usagef("", "--number must be at least 1")
			}
			return command.Do(c, &o.output, func(r *command.Run) error { return o.run(r, args[0]) })
		},
	}
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		f.StringVar(&o.data, "data", ".", "`FOLDER` that holds the complete data, or the path of the data itself")
		f.IntVarP(&o.copies, "number", "n", 2, "`N`, the number of copies")
		f.StringVar(&o.out, "out", "", "`FOLDER` for the copies")
		f.BoolVar(&o.random, "random", false, "deal pieces at random instead of in turn")
		f.Uint64Var(&o.seed, "seed", 1, "`NUMBER` that decides how --random deals")
	})
	flags.Group(c, "Network", o.source.BindFetch)
	o.output.Bind(c, false)
	return c
}

func (o *splitFlags) run(r *command.Run, from string) error {
	source, _, err := o.source.Open(r.Context, r.Warn)
	if err != nil {
		return err
	}
	t, err := load.One(r.Context, source, from, r.Stdin)
	if err != nil {
		return err
	}
	content, err := o.content(t)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	owner := deal(t.PieceCount(), o.copies, o.random, o.seed)
	copies, err := makeCopies(t, o.out, o.copies)
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range copies {
			c.folder.Close()
		}
	}()
	if err := copyPieces(r, t, content, copies, owner); err != nil {
		return err
	}
	counts := make([]int, o.copies)
	for _, o := range owner {
		counts[o]++
	}
	for i, copied := range copies {
		r.Result("%s: %d of %d pieces", copied.dir, counts[i], t.PieceCount())
	}
	return nil
}

// content is the complete data.
func (o *splitFlags) content(t *metainfo.Torrent) (hashing.Content, error) {
	dir := filepath.Clean(o.data)
	if _, err := os.Lstat(filepath.Join(dir, t.Name)); errors.Is(err, fs.ErrNotExist) && filepath.Base(dir) == t.Name {
		dir = filepath.Dir(dir)
	}
	if err := place.Check(dir, t); err != nil {
		return hashing.Content{}, err
	}
	folder, err := real.OpenExisting(dir)
	if err != nil {
		return hashing.Content{}, err
	}
	return contentAt(folder, t, t.Name), nil
}

// deal says for each piece which copy gets the piece.
func deal(pieces, copies int, random bool, seed uint64) []int {
	owner := make([]int, pieces)
	for i := range owner {
		owner[i] = i % copies
	}
	if random {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(pieces, func(i, j int) { owner[i], owner[j] = owner[j], owner[i] })
	}
	return owner
}

// partial is an incomplete copy. The copy has the name of the complete data, so
// that every client finds the pieces in it; missing pieces are holes in files.
type partial struct {
	dir    string
	folder world.Folder
}

func makeCopies(t *metainfo.Torrent, out string, n int) (copies []partial, err error) {
	defer func() {
		if err != nil {
			for _, c := range copies {
				c.folder.Close()
			}
		}
	}()
	for i := range n {
		dir := filepath.Join(out, strconv.Itoa(i+1))
		folder, err := new(real.Disk).OpenFolder(dir)
		if err != nil {
			return copies, err
		}
		copies = append(copies, partial{dir, folder})
		if _, err := folder.Stat(t.Name); err == nil {
			return copies, exit.Errorf(exit.Foreign, "%s exists already", filepath.Join(dir, t.Name))
		}
	}
	return copies, nil
}

// copyPieces writes each piece to the copy that gets it. A piece that does not
// match its hash is an error.
func copyPieces(r *command.Run, t *metainfo.Torrent, content hashing.Content, copies []partial, owner []int) error {
	shown := progress.NewHashing(r.Output, t.Name, t.PieceCount())
	defer shown.Close()
	return hashing.Pieces(r.Context, content, t.PieceLength, func(p hashing.Piece) error {
		if p.Err != nil {
			return content.Failure(p)
		}
		if p.Sum != t.PieceHash(p.Index) {
			return exit.Errorf(exit.Mismatch, "piece %d of the data is wrong", p.Index)
		}
		shown.Done()
		for _, span := range t.AppendPieceSpans(nil, p.Index) {
			if err := copySpan(content.Folder, copies[owner[p.Index]].folder, content.Files[span.File], span); err != nil {
				return err
			}
		}
		return nil
	})
}

func copySpan(from, to world.Folder, file hashing.File, span metainfo.Span) error {
	if file.Name == "" {
		return nil // padding
	}
	source, err := from.Open(file.Name, false)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := to.MkdirAll(path.Dir(file.Name)); err != nil {
		return err
	}
	target, err := to.Create(file.Name)
	if err != nil {
		return exit.With(exit.Create, err)
	}
	err = target.Extend(file.Length)
	buf := make([]byte, min(span.Length, 1<<20))
	note := func(e error) { err = errors.Join(err, e) }
	for at, end := span.Offset, span.Offset+span.Length; err == nil && at < end; at += int64(len(buf)) {
		part := [][]byte{buf[:min(int64(len(buf)), end-at)]}
		if source.ReadBlocks(part, at, note); err == nil {
			target.WriteBlocks(part, at, note)
		}
	}
	return errors.Join(err, target.Close())
}
