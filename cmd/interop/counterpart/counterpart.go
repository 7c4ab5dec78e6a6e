//go:build linux

// Package counterpart runs other people's BitTorrent clients and trackers, and
// Kouzui itself, as processes on the loopback: for the tests of interoperation
// and for the benchmark beside them.
//
// A Client starts on a Task and becomes a Process, which is waited for and
// stopped. Each process has a home folder and a loopback address of its own, so
// that nothing of the user's configuration is read, and so that clients that
// know a peer by its address alone can tell their peers apart. Everything that
// finds peers is off, but for trackers and Task.Peers; so are uTP and
// encryption.
//
// Processes end with the program that started them, whatever ends it. Linux
// only.
package counterpart

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Client is one program that downloads and seeds.
type Client struct {
	Name string
	// Dials: it connects to Task.Peers. The others learn of peers from a tracker
	// or are dialled.
	Dials bool
	// LeavesOutEmpty: it does not create files of no length.
	LeavesOutEmpty bool
	// EvenPieces: it refuses pieces that 16 KiB blocks do not divide.
	EvenPieces bool

	program string
	version []string // the command whose first line of output tells the version
	start   func(context.Context, Task) (*Process, error)
}

// Clients are all but Kouzui, which needs to be built: see Kouzui.
var Clients = []Client{libtorrent, aria2, transmission, rtorrent, qbittorrent}

// Task is what one process is to do.
type Task struct {
	Torrent string   // path of the .torrent
	Hash    string   // its info hash, 40 hexadecimal digits
	Dir     string   // where the content is or comes to be
	Home    string   // an empty folder for settings, state and the log
	Place   Place    // where it listens
	Seed    bool     // the content is there: Start returns when it has been checked
	Stay    bool     // a download goes on as a seed; those who need not be told always do
	Peers   []string // host:port to connect to, if Client.Dials
	// Within is a command that is put before the program's, such as one that runs
	// it in another network. Kouzui and libtorrent know it.
	Within []string
}

// command is a program with its arguments, within what the task says.
func (t Task) command(program string, args ...string) (string, []string) {
	all := slices.Concat(t.Within, []string{program}, args)
	return all[0], all[1:]
}

// Version returns what the program says of itself, or why it cannot be run.
func (c Client) Version() (string, error) {
	return version(c.program, c.version)
}

// Start returns when the process listens and, as a seed, has checked its
// content. The process ends when ctx does, or with Stop.
func (c Client) Start(ctx context.Context, t Task) (*Process, error) {
	var err error
	for _, p := range []*string{&t.Torrent, &t.Dir, &t.Home} {
		if *p, err = filepath.Abs(*p); err != nil {
			return nil, err
		}
	}
	p, err := c.start(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	p.Name, p.Addr = c.Name, t.Place.Peer()
	return p, nil
}

func version(program string, command []string) (string, error) {
	if _, err := exec.LookPath(program); err != nil {
		return "", fmt.Errorf("%s is not installed", program)
	}
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	// Some print their version with their help, and exit with 1 after it.
	for word := range strings.FieldsSeq(string(out)) {
		if word = strings.Trim(word, "v.,"); word != "" && word[0] >= '0' && word[0] <= '9' {
			return word, nil
		}
	}
	return "", fmt.Errorf("%s does not tell its version: %v", program, err)
}
