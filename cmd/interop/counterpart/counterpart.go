//go:build linux

// Package counterpart runs other people's BitTorrent clients and trackers, and
// Kouzui itself, as processes on the loopback: for the tests of interoperation
// and for the benchmark beside them.
//
// A Client is started on a Task and becomes a Process, which can be waited for
// and stopped. Each process has a home folder of its own, so that it reads none
// of the user's configuration, and a loopback address of its own, because some
// clients identify peers by their address alone. Peers are found only through
// trackers, Task.Peers, Task.Magnet, Task.DHT and, with Task.Exchange, other
// peers. uTP is off, and so is encryption without Task.Encryption, as far as a
// client can do without it.
//
// A process ends with the program that started it, whatever ends that program.
// The package works on Linux only.
package counterpart

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Client is one program that downloads and seeds.
type Client struct {
	Name string
	// Dials says that the client connects to Task.Peers. Other clients learn of
	// peers from a tracker, or are dialled.
	Dials bool
	// LeavesOutEmpty says that the client does not create empty files.
	LeavesOutEmpty bool
	// EvenPieces says that the client refuses pieces whose length is no multiple
	// of 16 KiB.
	EvenPieces bool
	// Pads says that the client knows padding files (BEP 47), and makes none.
	Pads bool
	// Encryption is what the client can be told of it; Kouzui has a flag for that.
	Encryption []Encryption

	program string
	version []string // the command whose first line of output tells the version
	start   func(context.Context, Task) (*Process, error)
}

// Clients are all clients but Kouzui, which has to be built first: see func
// Kouzui.
var Clients = []Client{libtorrent, aria2, transmission, rtorrent, qbittorrent}

// Task is what one process is to do.
type Task struct {
	Torrent string   // path of the .torrent
	Magnet  string   // a link that a download is given in place of the .torrent; "": none
	Hash    string   // its info hash, 40 hexadecimal digits
	Dir     string   // where the content is or comes to be
	Home    string   // an empty folder for settings, state and the log
	Place   Place    // where it listens
	Seed    bool     // Dir has the content: Start returns when it has been checked
	Stay    bool     // a download goes on seeding; only Kouzui has to be told
	Peers   []string // host:port to connect to, if Client.Dials
	Closed  bool     // it accepts no connections and announces no port: it has to find peers; only Kouzui supports it
	UDP     bool     // a tracker is asked over UDP, for which aria2 needs its DHT; it is told no node of that
	// DHT are addresses of nodes by which peers are found; none: there is no DHT.
	// Only transmission begins with all of them, and not at loopback addresses;
	// others begin with the first. Rtorrent and qBittorrent do not support it.
	DHT []string
	// Within is a command that runs the program, for instance in another network,
	// and Dial connects to an address as seen from there. Only Kouzui, libtorrent
	// and aria2 support them.
	Within []string
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	// SuperSeed has a seed hide what it has (BEP 16). Only Kouzui and libtorrent
	// support it.
	SuperSeed bool
	// Up is how many bytes a second it may upload; 0: as many as it can. Only
	// libtorrent supports it; Kouzui has a flag for it.
	Up int64
	// Down is how many bytes a second it may download; 0: as many as it can. Only
	// libtorrent supports it; Kouzui has a flag for it.
	Down int64
	// Exchange has it tell of peers and hear of them (BEP 11), as Kouzui always
	// does. Only libtorrent supports it.
	Exchange bool
	// Encryption is what it is to want of encryption (MSE).
	Encryption Encryption
	// Frames is told how many frames of the fast extension (BEP 6) went out and
	// came in so far, by libtorrent's names for them. Only libtorrent supports it.
	Frames func(out, in map[string]int)
	// Watch is told how far the process is, until it has ended. Only Kouzui,
	// libtorrent and, until it is complete, aria2 support it.
	Watch func(Progress)
}

// Encryption is what a client wants of encrypted connections (MSE).
type Encryption string

// What can be wanted.
const (
	EncryptNothing   Encryption = ""          // encrypted connections are not taken
	EncryptIfWanted  Encryption = "allowed"   // it encrypts if the peer wants it, or tries to
	EncryptHandshake Encryption = "handshake" // an encrypted handshake is required, and no more
	EncryptAll       Encryption = "all"       // RC4 is required
)

// Progress is news of a process.
type Progress struct {
	Pieces []int // that are verified; perhaps not for the first time
	// Redundant is how many bytes of payload came twice or unasked for so far;
	// negative: the client does not tell.
	Redundant int64
	DHTNodes  int // that are known, of Kouzui; 0: none, or it is not told
}

// torrent is what a client is given.
func (t Task) torrent() string { return cmp.Or(t.Magnet, t.Torrent) }

// command is a program with its arguments, run by Task.Within.
func (t Task) command(program string, args ...string) (string, []string) {
	all := slices.Concat(t.Within, []string{program}, args)
	return all[0], all[1:]
}

func (t Task) dial() func(ctx context.Context, network, addr string) (net.Conn, error) {
	if t.Dial != nil {
		return t.Dial
	}
	return new(net.Dialer).DialContext
}

// Version returns the version that the program prints, or why it cannot be run.
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
	// Some programs print their version with their help, and exit with 1.
	for word := range strings.FieldsSeq(string(out)) {
		if word = strings.Trim(word, "v.,"); word != "" && word[0] >= '0' && word[0] <= '9' {
			return word, nil
		}
	}
	return "", fmt.Errorf("%s does not tell its version: %v", program, err)
}
