package main

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/wire/metainfo"
)

type splitFlags struct {
	output outputFlags
	data   string
	copies int
	out    string
	random bool
	seed   uint64
}

func newSplit() *cobra.Command {
	var f splitFlags
	c := &cobra.Command{
		Use:   "split TORRENT",
		Short: "Make incomplete copies that together are whole",
		Long: `Make N incomplete copies of complete data in the folders OUT/1 to OUT/N, so that
each piece is in exactly one of them. Started on these copies, N clients complete
each other. Pieces are dealt in turn, or at random with --random; the same --seed
deals them the same way. The folders are written to stdout, each with the number
of its pieces.`,
		Example: `  kouzui split album.torrent --data ~/Music -n 3 --out /tmp/swarm
  kouzui download album.torrent -d /tmp/swarm/1 --until-peers-done`,
		Args: arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	c.Flags().StringVar(&f.data, "data", ".", "`FOLDER` that holds the complete data, or the path of the data itself")
	c.Flags().IntVarP(&f.copies, "number", "n", 2, "number of copies")
	c.Flags().StringVar(&f.out, "out", "", "`FOLDER` for the copies")
	c.Flags().BoolVar(&f.random, "random", false, "deal pieces at random instead of in turn")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "`NUMBER` that random dealing follows from")
	f.output.bind(c)
	return c
}

func (f *splitFlags) run(c *cobra.Command, from string) error {
	if f.out == "" {
		return usagef("", "split needs --out")
	}
	if f.copies < 1 {
		return usagef("", "--number must be at least 1")
	}
	out, err := f.output.open(c)
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
	content, err := f.content(t)
	if err != nil {
		return err
	}
	defer content.Folder.Close()
	owner := deal(t.PieceCount(), f.copies, f.random, f.seed)
	copies, err := makeCopies(t, f.out, f.copies)
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range copies {
			c.folder.Close()
		}
	}()
	if err := f.copyPieces(ctx, out, t, content, copies, owner); err != nil {
		return err
	}
	counts := make([]int, f.copies)
	for _, o := range owner {
		counts[o]++
	}
	for i, copied := range copies {
		out.result("%s: pieces %d of %d", copied.dir, counts[i], t.PieceCount())
	}
	return nil
}

// content is the complete data.
func (f *splitFlags) content(t *metainfo.Torrent) (hashing.Content, error) {
	dir := filepath.Clean(f.data)
	if _, err := os.Lstat(filepath.Join(dir, t.Name)); errors.Is(err, fs.ErrNotExist) && filepath.Base(dir) == t.Name {
		dir = filepath.Dir(dir)
	}
	folder, err := real.OpenExisting(dir)
	if err != nil {
		return hashing.Content{}, err
	}
	return hashing.Content{Folder: folder, Files: contentAt(folder, t, t.Name)}, nil
}

// deal says for each piece which copy gets it.
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

// partial is an incomplete copy. It has the name of the complete data, which is
// how any client takes up what is there; what is missing in a file is a hole.
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
			return copies, failf(exitForeign, "%s exists", filepath.Join(dir, t.Name))
		}
	}
	return copies, nil
}

// copyPieces hands each piece to its owner, if it is what it should be.
func (f *splitFlags) copyPieces(ctx context.Context, out *output, t *metainfo.Torrent, content hashing.Content, copies []partial, owner []int) error {
	steps := newSteps(out, t.Name, t.PieceCount())
	defer steps.close()
	err := hashing.Pieces(ctx, content, t.PieceLength, func(p hashing.Piece) error {
		if p.Err != nil {
			return readFailed(content.Files[p.File].Name, p.Err)
		}
		if p.Sum != t.PieceHash(p.Index) {
			return failf(exitMismatch, "piece %d of the data is wrong", p.Index)
		}
		steps.done()
		for _, span := range t.AppendPieceSpans(nil, p.Index) {
			if err := copySpan(content.Folder, copies[owner[p.Index]].folder, content.Files[span.File], span); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return err
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
		return fail(exitCreate, err)
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
