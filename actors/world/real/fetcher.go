package real

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/buffer"
)

const (
	// fetchBatch is how many blocks of a fast server are delivered at a time, as
	// each delivery is a message.
	fetchBatch = 16
	// fetchBlocks is how long reading a block takes at least if the server is
	// waited for: what has come is delivered then.
	fetchBlocks = 2 * time.Millisecond
	// fetchBuffer is how many bytes are read from a connection at a time: to copy
	// them costs less than a call of the system for each block.
	fetchBuffer = 128 << 10
)

// Fetcher is a world.Fetcher over HTTP and HTTPS.
type Fetcher struct {
	http    *HTTP
	options HTTPOptions
	pool    *buffer.Pool
}

// Fetcher fetches ranges in blocks of the pool, and paces newcomers together
// with trackers.
func (h *HTTP) Fetcher(pool *buffer.Pool) Fetcher {
	return Fetcher{http: h, options: h.options, pool: pool}
}

// Open implements world.Fetcher.
func (f Fetcher) Open(from world.Origin) world.FetchClient {
	transport := f.options.transport()
	transport.MaxConnsPerHost = 1
	transport.ReadBufferSize = fetchBuffer
	transport.IdleConnTimeout = serverKept
	return &fetchClient{Fetcher: f, from: from, transport: transport, client: http.Client{CheckRedirect: checkRedirect, Transport: transport}}
}

type fetchClient struct {
	Fetcher
	from      world.Origin
	transport *http.Transport
	client    http.Client

	mu   sync.Mutex
	last *dialing // nil: nothing was asked yet
}

// Close implements world.FetchClient.
func (f *fetchClient) Close() {
	f.mu.Lock()
	last := f.last
	f.mu.Unlock()
	if last != nil {
		last.cancel()
	}
	f.transport.CloseIdleConnections() // those that become idle later are closed, too
}

// Fetch implements world.FetchClient. The returned cancel waits for a call of
// deliver or done that has already begun, so neither must call cancel.
func (f *fetchClient) Fetch(r world.FetchRange, deliver func([]*buffer.Block), done func(error)) (cancel func()) {
	ctx, stop := context.WithCancel(context.Background())
	d := &dialing{stop: stop}
	f.mu.Lock()
	f.last = d
	f.mu.Unlock()
	go func() {
		defer stop()
		err := f.fetch(ctx, &r, func(blocks []*buffer.Block) {
			d.answer(func() { deliver(blocks) }, func() { releaseAll(blocks) })
		})
		d.answer(func() { done(err) }, func() {})
	}()
	return d.cancel
}

func releaseAll(blocks []*buffer.Block) {
	for _, b := range blocks {
		b.Release()
	}
}

func useless(format string, args ...any) error {
	return &world.FetchError{Outcome: world.FetchUseless, Err: fmt.Errorf(format, args...)}
}

// fetch returns nil or a *world.FetchError.
func (f *fetchClient) fetch(ctx context.Context, r *world.FetchRange, deliver func([]*buffer.Block)) error {
	v := f.http.visit(ctx, f.from)
	v.webSeed = true
	traced := httptrace.WithClientTrace(ctx, v.trace())
	q, err := http.NewRequestWithContext(context.WithValue(traced, visitKey{}, v), http.MethodGet, r.URL, nil)
	if err != nil {
		return useless("not a URL")
	}
	if s := q.URL.Scheme; s != "http" && s != "https" || q.URL.Hostname() == "" {
		return useless("not an http or https URL with a host")
	}
	v.next(q.URL)
	length := r.Length()
	q.Header.Set("User-Agent", f.http.agent)
	q.Header.Set("Accept-Encoding", "identity")
	q.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", r.Offset, r.Offset+length-1))
	answer, err := f.client.Do(q)
	if err != nil {
		return unanswered(ctx, err)
	}
	defer answer.Body.Close()
	if err := checkAnswer(answer, r.Offset, length, r.Size); err != nil {
		return err
	}
	if err := f.read(answer.Body, r.Chunks, deliver); err != nil {
		return &world.FetchError{Outcome: world.FetchBroken, Err: explain(ctx, err)}
	}
	if n, _ := answer.Body.Read(make([]byte, 1)); n > 0 { // also reads the end of an answer in chunks
		return useless("the server sends more than was asked for")
	}
	return nil
}

// unanswered is why there is no answer.
func unanswered(ctx context.Context, err error) error {
	outcome := world.FetchBroken
	var (
		barred   barredError
		redirect redirectError
	)
	switch {
	case errors.As(err, &barred), errors.As(err, &redirect):
		outcome = world.FetchUseless
	case errors.Is(err, errCrowded):
		outcome = world.FetchBusy
	}
	return &world.FetchError{Outcome: outcome, Err: explain(ctx, err)}
}

// checkAnswer refuses an answer whose body is not the range that was asked for.
// A server that answers with the whole file has served the range if that is the
// whole file; else nearly all that it sends would be thrown away.
func checkAnswer(a *http.Response, offset, length, size int64) error {
	if encoding := a.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return useless("the server sends the file compressed")
	}
	switch status := a.StatusCode; {
	case status == http.StatusPartialContent:
		first, last, total, ok := parseContentRange(a.Header.Get("Content-Range"))
		switch {
		case !ok:
			return useless("the server does not say which bytes it sends")
		case total >= 0 && total != size:
			return useless("the file has %d bytes on the server, and %d in the torrent", total, size)
		case first != offset || last != offset+length-1:
			return useless("the server sends bytes %d to %d in place of %d to %d", first, last, offset, offset+length-1)
		case a.ContentLength >= 0 && a.ContentLength != length:
			return useless("the server sends %d bytes in place of %d", a.ContentLength, length)
		}
		return nil
	case status == http.StatusOK && a.ContentLength >= 0 && a.ContentLength != size:
		return useless("the file has %d bytes on the server, and %d in the torrent", a.ContentLength, size)
	case status == http.StatusOK && (offset != 0 || length != size):
		return useless("the server does not serve parts of files")
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound, status == http.StatusGone, status == http.StatusRequestedRangeNotSatisfiable:
		return &world.FetchError{Outcome: world.FetchMissing, Err: StatusError(status)}
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return &world.FetchError{Outcome: world.FetchBusy, After: parseRetryAfter(a.Header.Get("Retry-After"), time.Now()), Err: StatusError(status)}
	default:
		return &world.FetchError{Outcome: world.FetchUseless, Err: StatusError(status)}
	}
}

// parseContentRange reads a Content-Range (RFC 9110); total is -1 if it is not
// told.
func parseContentRange(text string) (first, last, total int64, ok bool) {
	unit, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	bytes, whole, is := strings.Cut(strings.TrimSpace(rest), "/")
	from, to, isRange := strings.Cut(bytes, "-")
	if !strings.EqualFold(unit, "bytes") || !is || !isRange {
		return 0, 0, 0, false
	}
	first, bad := parseDigits(from)
	last, worse := parseDigits(to)
	total = -1
	var worst bool
	if whole != "*" {
		total, worst = parseDigits(whole)
	}
	if bad || worse || worst || last < first || total >= 0 && last >= total {
		return 0, 0, 0, false
	}
	return first, last, total, true
}

// parseDigits reads a number without sign.
func parseDigits(text string) (n int64, bad bool) {
	u, err := strconv.ParseUint(text, 10, 63)
	return int64(u), err != nil
}

// maxRetryAfter bounds what a server asks for, before times are added.
const maxRetryAfter = 24 * time.Hour

// parseRetryAfter reads seconds or a date; 0: it says neither, or the date has
// passed.
func parseRetryAfter(text string, now time.Time) time.Duration {
	if seconds, bad := parseDigits(text); !bad {
		return time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, min(date.Sub(now), maxRetryAfter))
}

// read reads a body straight into blocks.
func (f *fetchClient) read(body io.Reader, chunks []int, deliver func([]*buffer.Block)) (err error) {
	var batch []*buffer.Block
	for _, chunk := range chunks {
		b := f.pool.Get()
		b.SetLen(chunk)
		began := time.Now()
		if _, err = io.ReadFull(body, b.Bytes()); err != nil {
			b.Release()
			break
		}
		if batch == nil {
			batch = make([]*buffer.Block, 0, fetchBatch)
		}
		if batch = append(batch, b); len(batch) == fetchBatch || time.Since(began) > fetchBlocks {
			deliver(batch)
			batch = nil
		}
	}
	if len(batch) > 0 {
		deliver(batch)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the answer breaks off")
	}
	return err
}
