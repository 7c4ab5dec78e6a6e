package observe_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// browse opens a page in a Chromium of its own. Without one the test is
// skipped, unless KOUZUI_INTEROP is "must".
func browse(t *testing.T, url string, width, height int) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("KOUZUI_INTEROP") == "must" {
			t.Fatalf("%v, and KOUZUI_INTEROP=must", err)
		}
		t.Skipf("%v: apt-get install chromium", err)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)...)
	// Messages of a newer browser that this chromedp does not know do not matter
	// here.
	quiet := chromedp.WithErrorf(func(string, ...any) {})
	ctx, leave := chromedp.NewContext(ctx, quiet)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error(err)
		}
		leave()
		stop()
	})
	do(t, ctx, chromedp.Navigate(url))
	if strings.Contains(url, "token=") {
		do(t, ctx, chromedp.WaitReady(chromedp.CSS("#totals"))) // the address with the token only leads on to it
	}
	return ctx
}

type step = chromedp.Action[chromedp.Void]

func do(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// shows waits until a JavaScript expression is true on the page, after each
// frame.
func shows(expression string) step {
	return chromedp.Evaluate[chromedp.Void](`new Promise(done => {
		const look = () => (`+expression+`) ? done() : requestAnimationFrame(look);
		look();
	})`, chromedp.EvalAwaitPromise)
}

func visible(selector string) step { return chromedp.WaitVisible(chromedp.CSS(selector)) }
func click(selector string) step   { return chromedp.Click(chromedp.CSS(selector)) }

// row selects the row of the actor whose path ends like this.
func row(end string) string { return `.row[data-path$="` + end + `"]:not([hidden])` }

func TestAnActorKilledOnThePageComesBack(t *testing.T) {
	torrent, data := stage.Torrent(t, 8<<20+12345, 64<<10)
	addr := seed(t, torrent, data)
	s := observer(t)
	n := start(t, actors.Options{Limits: messages.SetLimits{Down: 2 << 20}}, s)
	dir := t.TempDir()
	n.Add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{addr}, Seed: true})

	ctx := browse(t, s.URL(), 1280, 800)
	do(t, ctx,
		visible(row("/engine/store")),
		visible(row("/engine/scheduler")),
		visible(row("/peers/peer-1")),
		shows(`document.querySelector('.torrent h3 em').textContent === 'downloading'`),
		click(row("/engine/choker")),
		visible(`#panel .kill`),
		click(`#panel .kill`),
		shows(`document.querySelector('`+row("/engine/choker")+` .incarnation')?.textContent === '#2'`),
		shows(`document.querySelector('`+row("/engine/choker")+` .badge')?.textContent.startsWith('↻ 1')`),
		shows(`document.querySelector('#failures .chain .good')?.textContent.startsWith('#2 runs')`),
		shows(`document.querySelector('#panel details pre')?.textContent.includes('supervise')`),
		shows(`document.querySelector('.torrent h3 em').textContent === 'seeding'`),
		shows(`document.querySelector('.torrent h3 b').textContent === '100 %'`),
	)
	got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
}

// The page shows how busy each kind of actor is, and who sends what to whom.
func TestThePageShowsWhoSendsWhatToWhom(t *testing.T) {
	torrent, data := stage.Torrent(t, 16<<20, 64<<10)
	addr := seed(t, torrent, data)
	s := observer(t)
	n := start(t, actors.Options{Limits: messages.SetLimits{Down: 2 << 20}}, s)
	n.Add(torrent, messages.TorrentOptions{Dir: t.TempDir(), Peers: []netip.AddrPort{addr}, Seed: true})
	const edge = `.edge[data-edge="peer → store"]`
	point := func(selector string) step {
		return chromedp.Evaluate[chromedp.Void](`document.querySelector('` + selector + `').dispatchEvent(new PointerEvent('pointerenter'))`)
	}
	ctx := browse(t, s.URL(), 1280, 800)
	do(t, ctx,
		visible(row("/engine/store")),
		click(`#views button:last-child`),
		shows(`document.querySelector('#actors').hidden && !document.querySelector('#work').hidden`),
		shows(`document.querySelector('tr[data-kind=peer] td:nth-child(3)')?.textContent.endsWith('/s')`),
		shows(`document.querySelector('tr[data-kind=processor] td:nth-child(5)')?.textContent.startsWith('of ')`),
		shows(`document.querySelector('`+edge+`')`),
		shows(`document.querySelector('.kind[data-kind=store] .name')?.textContent === 'store'`),
		shows(`document.querySelector('tr[data-kind=peer] td')?.textContent === '1'`),
		// The more messages there are, the thicker the edge is.
		shows(`(() => {
			const edges = [...graph.edges.values()].filter(e => e.from !== e.to).sort((a, b) => a.count - b.count);
			const widths = edges.map(e => +document.querySelector('.edge[data-edge="' + e.key + '"]')?.dataset.width);
			return widths.length > 3 && widths.every((w, i) => w > 0 && (!i || w >= widths[i - 1])) && widths[0] < widths.at(-1);
		})()`),
		// No kind hides another.
		shows(`(() => {
			const boxes = [...document.querySelectorAll('.kind')].map(g => g.firstChild.getBoundingClientRect());
			return boxes.every((a, i) => boxes.every((b, j) => i === j || a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top));
		})()`),
		point(edge),
		shows(`document.querySelector('#tip').textContent.includes('StoreBlocks')`),
		shows(`document.querySelector('`+edge+`').classList.contains('on')`),
		point(`tr[data-kind=scheduler]`),
		shows(`document.querySelector('#tip b')?.textContent === 'scheduler'`),
		click(`#views button:first-child`),
		visible(row("/engine/store")),
	)
}

// The token is in no address that the browser keeps, and the page works without
// it, also when it is loaded again.
func TestTheBrowserForgetsTheToken(t *testing.T) {
	s := newScene(t, "one")
	ctx := browse(t, s.URL(), 1280, 800)
	do(t, ctx, visible(row("root/one")),
		chromedp.Reload(),
		visible(row("root/one")),
		click(row("root/one")),
		visible(`#panel .kill`),
		click(`#panel .kill`),
		shows(`document.querySelector('`+row("root/one")+` .incarnation')?.textContent === '#2'`),
	)
	token := s.base.Query().Get("token")
	kept, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[location.href, document.cookie, document.referrer,
		...performance.getEntriesByType('navigation').map(e => e.name), ...performance.getEntriesByType('resource').map(e => e.name),
		document.documentElement.outerHTML].join('\n')`))
	if err != nil || strings.Contains(kept, token) || !strings.HasPrefix(kept, "http://"+s.base.Host+"/\n\n") {
		t.Errorf("%v, the page has %.200s", err, kept)
	}
	history, err := chromedp.Call(ctx, page.GetNavigationHistory, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range history.Entries {
		if strings.Contains(entry.URL, token) {
			t.Errorf("the history has %s", entry.URL)
		}
	}
}

// The printed address works as a link on a page of another site as well.
func TestTheLinkMayStandOnAnotherSite(t *testing.T) {
	s := newScene(t, "one")
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<a id="link" href="%s">the live page</a>`, s.URL())
	}))
	t.Cleanup(other.Close)
	ctx := browse(t, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), 1280, 800)
	do(t, ctx, visible("#link"), click("#link"), visible(row("root/one")))
}

// TestAThousandActorsStayFluid kills actors as fast as it can. With -v it also
// tells what the page costs meanwhile.
func TestAThousandActorsStayFluid(t *testing.T) {
	const rounds, atOnce = 20, 10
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("peer-%d", i+1)
	}
	s := newScene(t, names...)
	ctx := browse(t, s.URL(), 1280, 800)
	do(t, ctx,
		shows(`document.querySelector('#totals dd')?.textContent === '1001'`),
		// A crowd is folded at first.
		shows(`document.querySelectorAll('.row:not([hidden])').length === 1`),
		click(row("root")+" .fold"),
		visible(row("root/peer-9")),
	)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`{
		window.gaps = [];
		let last = performance.now();
		const frame = now => { gaps.push(now - last); last = now; requestAnimationFrame(frame); };
		requestAnimationFrame(frame);
	}`))
	before := costs(t, ctx)
	for i := range rounds {
		for j := range atOnce {
			if err := s.tree.Kill("root/"+names[(i*atOnce+j)*7%len(names)], "a test"); err != nil {
				t.Fatal(err)
			}
		}
		do(t, ctx, shows(fmt.Sprintf(`document.querySelectorAll('#failures .good').length === %d`, (i+1)*atOnce)))
	}
	after := costs(t, ctx)
	wall := after["Timestamp"] - before["Timestamp"]
	t.Logf("%.0f restarts a second", rounds*atOnce/wall)
	for _, name := range []string{"TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"} {
		t.Logf("%s: %.1f %% of a core", name, 100*(after[name]-before[name])/wall)
	}
	frames, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`gaps.sort((a, b) => a - b)`))
	if err != nil {
		t.Fatal(err)
	}
	n := len(frames)
	t.Logf("ms from frame to frame: median %.0f, 99th percentile %.0f, longest %.0f", frames[n/2], frames[n*99/100], frames[n-1])
	rows, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll('.row').length`))
	if err != nil || rows > 60 {
		t.Errorf("%d rows in the document for 1001 actors: %v", rows, err)
	}
	do(t, ctx,
		chromedp.SendKeys(chromedp.CSS("#filter"), "peer-1000"),
		visible(row("root/peer-1000")),
		shows(`document.querySelectorAll('.row:not([hidden])').length === 2`),
	)
}

// costs are the seconds of processor time that the page has spent so far, by
// what it spent them on.
func costs(t *testing.T, ctx context.Context) map[string]float64 {
	t.Helper()
	if _, err := chromedp.Call(ctx, performance.Enable, performance.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	answer, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	seconds := map[string]float64{}
	for _, m := range answer.Metrics {
		seconds[m.Name] = m.Value
	}
	return seconds
}

// TestScreenshot makes the pictures of the README: that of the tree where
// KOUZUI_SCREENSHOT says, and that of the messages beside it.
// KOUZUI_SCHEME=dark makes dark ones.
func TestScreenshot(t *testing.T) {
	path := os.Getenv("KOUZUI_SCREENSHOT")
	if path == "" {
		t.Skip("KOUZUI_SCREENSHOT names no file")
	}
	s := observer(t)
	var bootstrap []string // by the first node of the DHT the others enter it
	for range 12 {
		other := start(t, actors.Options{Listen: "127.0.0.1:0", DHT: &actors.DHT{Bootstrap: bootstrap, AtOnce: true}}, nil)
		if bootstrap == nil {
			bootstrap = []string{await(t, other, func(*messages.SocketReady) bool { return true }).Addr.String()}
		}
	}
	n := start(t, actors.Options{
		Listen: "127.0.0.1:0", Limits: messages.SetLimits{Down: 3 << 20}, DHT: &actors.DHT{Bootstrap: bootstrap, AtOnce: true},
	}, s)
	var paths []string
	for i, name := range []string{"lecture.mkv", "album.flac"} {
		torrent, data := stage.Torrent(t, 56<<20+i*12345, 64<<10)
		torrent.Name = name
		var peers []netip.AddrPort
		for range 4 {
			peers = append(peers, seed(t, torrent, data))
		}
		paths = append(paths, "client/torrents/torrent-"+torrent.InfoHash.String()[:8])
		n.Add(torrent, messages.TorrentOptions{Dir: t.TempDir(), Peers: peers[:3*i], LinkPeers: peers[3*i:], Seed: true, MaxPeers: 10})
	}
	ctx := browse(t, s.URL(), 1280, 720)
	setScheme := func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: cmp.Or(os.Getenv("KOUZUI_SCHEME"), "light")}},
		})
		return err
	}
	do(t, ctx,
		chromedp.EmulateViewport(1280, 720),
		chromedp.Func(setScheme),
		shows(`[...document.querySelectorAll('.torrent h3 b')].every(part => parseFloat(part.textContent) > 35)`),
	)
	// In one torrent those actors fail that can fail alone; in the other a member
	// of the engine, which takes the whole engine with it.
	for _, node := range n.Tree().Snapshot() {
		alone := strings.HasPrefix(node.Path, paths[0]) && (node.Kind == "choker" || strings.HasSuffix(node.Path, "/peer-2"))
		if !alone && node.Path != paths[1]+"/engine/store" {
			continue
		}
		if err := n.Tree().Kill(node.Path, "an experiment"); err != nil {
			t.Fatal(err)
		}
	}
	do(t, ctx,
		shows(`document.querySelectorAll('#failures .good').length === 3`),
		shows(`[...document.querySelectorAll('.torrent h3 b')].every(part => parseFloat(part.textContent) > 60)`),
	)
	picture := func(path string) {
		t.Helper()
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(path, png, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	picture(path)
	do(t, ctx, click(`#views button:last-child`), shows(`document.querySelectorAll('.kind').length > 9`))
	picture(strings.TrimSuffix(path, ".png") + "-work.png")
}
