package scheduler

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"kouzui/wire/metainfo"
)

// drawPadding makes some blocks of some pieces padding, but never all of a
// piece.
func drawPadding(t *rapid.T, g geometry) map[uint32][]run {
	padding := map[uint32][]run{}
	for piece := range uint32(g.pieces) {
		content := rapid.IntRange(0, 2*g.blocks(piece)).Draw(t, "content")
		for i := range min(g.blocks(piece), 20) {
			if i == content || content >= g.blocks(piece) || rapid.Bool().Draw(t, "content too") {
				continue
			}
			padding[piece] = append(padding[piece], run{i, i + 1})
		}
	}
	return padding
}

func TestPaddingOfATorrent(t *testing.T) {
	const block = BlockSize
	file := func(length int64) metainfo.FileSpec {
		return metainfo.FileSpec{Path: []string{strconv.FormatInt(length, 10)}, Length: length}
	}
	pad := func(length int64) metainfo.FileSpec { return metainfo.FileSpec{Padding: true, Length: length} }
	for name, tc := range map[string]struct {
		files   []metainfo.FileSpec
		padding map[uint32][]run
		left    int64
	}{
		"none":              {[]metainfo.FileSpec{file(4*block + 1), file(5)}, nil, 4*block + 6},
		"less than a block": {[]metainfo.FileSpec{file(4*block - 1), pad(1), file(5)}, nil, 4*block + 5},
		"the end of a piece": {[]metainfo.FileSpec{file(block + 1), pad(3*block - 1), file(5)},
			map[uint32][]run{0: {{2, 4}}}, 2*block + 5},
		"the beginning of a piece": {[]metainfo.FileSpec{pad(2*block - 1), file(3)}, map[uint32][]run{0: {{0, 1}}}, block + 2},
		"twice in a piece": {[]metainfo.FileSpec{file(1), pad(2*block - 1), file(block), pad(block), file(7)},
			map[uint32][]run{0: {{1, 2}, {3, 4}}}, 2*block + 7},
		"over several pieces": {[]metainfo.FileSpec{file(block), pad(9 * block), file(7)},
			map[uint32][]run{0: {{1, 4}}, 2: {{0, 2}}}, block + 4*block + 7},
	} {
		t.Run(name, func(t *testing.T) {
			spec := metainfo.Spec{Name: "x", PieceLength: 4 * block, Files: tc.files}
			length := int64(0)
			for _, f := range tc.files {
				length += f.Length
			}
			spec.Pieces = make([]byte, 20*((length+4*block-1)/(4*block)))
			raw, err := metainfo.Encode(spec)
			if err != nil {
				t.Fatal(err)
			}
			torrent, err := metainfo.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			g := newGeometry(torrent)
			if !maps.EqualFunc(g.padding, tc.padding, slices.Equal) {
				t.Errorf("padding %v, not %v", g.padding, tc.padding)
			}
			if left := newGoal(g, nil).left(); left != tc.left {
				t.Errorf("%d bytes are left, not %d", left, tc.left)
			}
		})
	}
}
