package transfer

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"kouzui"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/wire/metainfo"
)

// NewStream makes the command stream.
func NewStream() *cobra.Command {
	o := options{streams: true, seed: true}
	c := &cobra.Command{
		Use:   "stream TORRENT|MAGNET",
		Short: "Watch or hear a file while it is downloaded",
		Long: `Serve a file of a torrent over HTTP on this machine while it is downloaded, for
a player. Its address is written to stdout, and the program runs until an
interrupt. What a player reads is fetched first, wherever it goes in the file.
Without --select, the largest file is downloaded; of several chosen ones each
has an address, and the address without a name lists them. With --stdout, the
file is written to stdout in its order, and the program ends with it.

The data is kept in --dir, as by download, and the next command goes on with it.`,
		Example: `  kouzui stream film.torrent
  kouzui stream 'magnet:?xt=urn:btih:...' --select '*.mkv' -d ~/Films
  kouzui stream film.torrent --stdout | mpv -`,
		Args: flags.Arguments(1, 1, "one torrent"),
		RunE: o.run,

		Annotations: map[string]string{events: "json"},
	}
	o.bind(c)
	return c
}

// streamFlags say how a file is given to a player.
type streamFlags struct {
	addr   string
	stdout bool
}

func (o *streamFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&o.addr, "http", "127.0.0.1:0", "serve at `HOST:PORT`, an address of this machine alone (port 0: any free port)")
	f.BoolVar(&o.stdout, "stdout", false, "write the file to stdout in place of serving it")
}

func (o *streamFlags) validate(asJSON bool) error {
	if o.stdout && asJSON {
		return exit.Usagef("", "--json and --stdout cannot both write to stdout")
	}
	if err := flags.HostPort("http", o.addr); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(o.addr)
	if addr, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !addr.IsLoopback()) {
		return exit.Usagef("", "--http %s must be an address of this machine alone, such as 127.0.0.1:8000", o.addr)
	}
	return nil
}

// streamer gives the chosen files of a torrent to players.
type streamer struct {
	flags    *streamFlags
	listener net.Listener
	server   *http.Server
	ended    chan error // what was written to stdout is all, or has failed
	cancel   func()
}

// open binds the address.
func (o *streamFlags) open() (*streamer, error) {
	s := &streamer{flags: o, ended: make(chan error, 1), cancel: func() {}}
	if o.stdout {
		return s, nil
	}
	var err error
	if s.listener, err = net.Listen("tcp", o.addr); err != nil {
		return nil, exit.With(exit.Network, err)
	}
	return s, nil
}

// start begins to serve the torrent. A nil streamer serves nothing.
func (s *streamer) start(t *kouzui.Torrent, stdout io.Writer) {
	if s == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	if s.flags.stdout {
		go func() { s.ended <- write(ctx, t, stdout) }()
		return
	}
	s.server = &http.Server{
		Handler: player{t}, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = s.server.Serve(s.listener) }()
}

// done tells when what was to be written to stdout has been.
func (s *streamer) done() <-chan error {
	if s == nil {
		return nil
	}
	return s.ended
}

// address is where a player finds the files of the torrent.
func (s *streamer) address() string {
	if s == nil || s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String() + "/"
}

func (s *streamer) close() {
	if s == nil {
		return
	}
	s.cancel()
	if s.server != nil {
		_ = s.server.Close()
	} else if s.listener != nil {
		_ = s.listener.Close()
	}
}

// write writes the chosen files, one after the other.
func write(ctx context.Context, t *kouzui.Torrent, to io.Writer) error {
	list, err := chosenFiles(ctx, t)
	for _, f := range list {
		if err == nil {
			err = writeFile(ctx, t, f.Index, to)
		}
	}
	return err
}

func writeFile(ctx context.Context, t *kouzui.Torrent, file int, to io.Writer) error {
	r, err := t.NewReader(ctx, file)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(to, r)
	return err
}

// chosenFiles waits until the files of the torrent are known.
func chosenFiles(ctx context.Context, t *kouzui.Torrent) ([]kouzui.File, error) {
	if _, err := t.AwaitMetainfo(ctx); err != nil {
		return nil, err
	}
	files, err := t.Files(ctx)
	return slices.DeleteFunc(files, func(f kouzui.File) bool { return f.Priority == kouzui.PrioritySkip || f.Length == 0 }), err
}

// player answers players.
type player struct{ *kouzui.Torrent }

// ServeHTTP refuses what a page of elsewhere has a browser ask for: names that
// lead to this machine.
func (p player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	switch {
	case host != "localhost" && (err != nil || !addr.IsLoopback()):
		http.Error(w, "this address is not served under that name", http.StatusMisdirectedRequest)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "files are only read", http.StatusMethodNotAllowed)
		return
	}
	files, err := chosenFiles(r.Context(), p.Torrent)
	if err != nil {
		http.Error(w, exit.OneLine(err), http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path == "/" && len(files) == 1 {
		http.Redirect(w, r, link(files[0].Path), http.StatusFound)
		return
	}
	if r.URL.Path == "/" {
		listFiles(w, files)
		return
	}
	for _, f := range files {
		if r.URL.Path == "/"+f.Path {
			p.serve(w, r, f)
			return
		}
	}
	http.NotFound(w, r)
}

// link is the address of a file below that of the server.
func link(file string) string { return (&url.URL{Path: "/" + file}).EscapedPath() }

func listFiles(w http.ResponseWriter, files []kouzui.File) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><meta charset=utf-8><title>Files</title><ul>")
	for _, f := range files {
		fmt.Fprintf(w, "<li><a href=\"%s\">%s</a>", html.EscapeString(link(f.Path)), html.EscapeString(metainfo.Clean(f.Path, 1000)))
	}
}

// serve answers with the file, or with the range of it that is asked for.
func (p player) serve(w http.ResponseWriter, r *http.Request, f kouzui.File) {
	reader, err := p.NewReader(r.Context(), f.Index)
	if err != nil {
		http.Error(w, exit.OneLine(err), http.StatusServiceUnavailable)
		return
	}
	defer reader.Close()
	w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprint(p.InfoHash(), "-", f.Index)))
	if path.Ext(f.Path) == ".mkv" { // not known to all systems; to guess would read the file
		w.Header().Set("Content-Type", "video/x-matroska")
	}
	http.ServeContent(w, r, path.Base(f.Path), time.Time{}, reader)
}

// stream begins to give the torrent to players, and tells where they find it.
func (s *session) stream(j *job) {
	s.streamer.start(j.running, s.Stdout)
	if address := s.streamer.address(); address != "" {
		s.Result("%s", address)
	}
}

// over records that all is written to stdout, or why it is not.
func (s *session) over(err error) error {
	switch {
	case err == nil:
		s.jobs[0].streamed = true
		return errStreamed
	case exit.BrokenPipe(err):
		return exit.With(exit.Interrupted, err)
	case errors.Is(err, kouzui.ErrEnded), errors.Is(err, kouzui.ErrStopped):
		return nil // ended tells why
	}
	return exit.Unwritten(err)
}

// errStreamed is why the torrents are stopped when all is written; nobody is
// told.
var errStreamed = errors.New("the file has been written")
