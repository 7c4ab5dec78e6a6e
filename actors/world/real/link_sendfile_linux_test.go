package real

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// onDisk is a torrent in one file. From the offset refuse on, its bytes can be
// read but not sent by sendfile.
type onDisk struct {
	*memory
	file   world.SocketFile
	refuse int64
	sent   int64 // bytes, past the process
}

func newOnDisk(t *testing.T, m *memory, refuse int) *onDisk {
	folder := openFolder(t, t.TempDir())
	file, err := folder.Create("f")
	must(t, err)
	t.Cleanup(func() { file.Close() })
	file.WriteBlocks([][]byte{m.data}, 0, func(err error) { must(t, err) })
	return &onDisk{memory: m, file: file.(world.SocketFile), refuse: int64(refuse)}
}

func (d *onDisk) SendTo(socket uintptr, off int64, n int) (int, error) {
	if n = int(min(int64(n), d.refuse-off)); n <= 0 {
		return 0, errors.ErrUnsupported
	}
	n, err := d.file.SendTo(socket, off, n)
	d.sent += int64(n)
	return n, err
}

func TestPayloadGoesStraightToTheSocketAsFarAsItCan(t *testing.T) {
	const blocks = 100
	m := random(blocks * buffer.Size)
	for name, refuse := range map[string]int{
		"all": len(m.data), "none": 0, "from the midst of a block": 40*buffer.Size + 1000, "from a block on": 70 * buffer.Size,
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			a, b := pair(t)
			source := newOnDisk(t, m, refuse)
			sent, got := start(a, frame.Limits{}), start(b, frame.Limits{})
			var out []messages.Outgoing
			for i := range blocks {
				piece := m.piece(i*buffer.Size, buffer.Size)
				if i%10 != 9 {
					piece.Source = source
				}
				out = append(out, messages.Outgoing{Frame: frame.Frame{Kind: frame.Have, Index: uint32(i)}}, piece)
			}
			a.Send(out)
			for i, f := range take(t, b, got, len(out)) {
				if f.Kind != out[i].Kind || f.Index != out[i].Index {
					t.Fatalf("frame %d is %v %d", i, f.Kind, f.Index)
				}
				if f.Kind == frame.Piece {
					if !bytes.Equal(f.Block.Bytes(), m.data[out[i].Offset:][:buffer.Size]) {
						t.Fatalf("payload of frame %d is wrong", i)
					}
					f.Block.Release()
				}
			}
			for pieces, payload := 0, 0; pieces < blocks || payload < len(m.data); {
				report := (<-sent).(*messages.FramesSent)
				pieces, payload = pieces+report.Pieces, payload+report.Payload
				if pieces > blocks || payload > len(m.data) {
					t.Errorf("reported %d pieces of %d bytes", pieces, payload)
				}
			}
			if refuse > 0 && source.sent == 0 || source.sent > int64(refuse) {
				t.Errorf("%d bytes went straight", source.sent)
			}
			a.Close(nil)
			b.Close(nil)
			closing(t, b, got)
		})
	}
}

// If a file has become shorter, the read that follows sendfile finds out.
func TestFileThatEndsEarlyClosesTheLink(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	events := start(l, frame.Limits{})
	m := random(buffer.Size)
	name := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(name, m.data[:1000], 0o600))
	folder := openFolder(t, filepath.Dir(name))
	file, err := folder.Open("f", false)
	must(t, err)
	defer file.Close()
	piece := m.piece(0, buffer.Size)
	piece.Source = file.(messages.SocketSource)
	l.Send([]messages.Outgoing{piece})
	if err := closing(t, l, events); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// No memory is allocated for a block that sendfile sends.
func TestStraightAllocatesNothing(t *testing.T) {
	l, conn := rawPair(t)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		buf := make([]byte, 1<<18)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	const blocks = 16
	m := random(blocks * buffer.Size)
	source := newOnDisk(t, m, len(m.data))
	var out []messages.Outgoing
	for i := range blocks {
		out = append(out, m.piece(i*buffer.Size, buffer.Size))
		out[i].Source = source
	}
	w := &writer{link: l}
	allocs := testing.AllocsPerRun(50, func() {
		if err := w.writeAll(nil, out); err != nil {
			t.Error(err)
		}
	})
	// Reports allocate: there is one for every 32 blocks, and one before each
	// wait.
	if allocs > 2 {
		t.Errorf("%.0f allocations for %d blocks", allocs, blocks)
	}
	l.Close(nil)
	<-drained
	conn.Close()
}
