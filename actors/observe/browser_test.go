package observe_test

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"kouzui/actors"
	"kouzui/actors/stage"
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
	// What a newer browser says and this chromedp does not know is of no interest.
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
	return ctx
}

type step = chromedp.Action[chromedp.Void]

func do(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// shows waits until an expression holds on the page, looking at every frame.
func shows(expression string) step {
	return chromedp.Evaluate[chromedp.Void](`new Promise(done => {
		const look = () => (`+expression+`) ? done() : requestAnimationFrame(look);
		look();
	})`, chromedp.EvalAwaitPromise)
}

// row is the tree's row of an actor by the end of its path.
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
		chromedp.WaitVisible(row("/engine/store")),
		chromedp.WaitVisible(row("/engine/scheduler")),
		chromedp.WaitVisible(row("/peers/peer-1")),
		shows(`document.querySelector('.torrent h3 em').textContent === 'downloading'`),
		chromedp.Click(row("/engine/choker")),
		chromedp.WaitVisible(`#panel .kill`),
		chromedp.Click(`#panel .kill`),
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
	if path := os.Getenv("KOUZUI_LOOK"); path != "" {
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
