package real

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

var _ world.Announcer = (*HTTP)(nil)

// Permit implements world.Announcer.
func (h *HTTP) Permit(base string, from world.Origin, addr netip.Addr, patience time.Duration) (time.Duration, error) {
	refuse := func(err error) (time.Duration, error) {
		return 0, &world.AnnounceError{Phase: world.PhaseURL, Err: err}
	}
	u, err := url.Parse(base)
	if err != nil {
		return refuse(errors.New("not a URL"))
	}
	v := &visit{from: from, all: h.allowPrivate}
	v.next(u)
	if err := v.permit(addr); err != nil {
		return refuse(err)
	}
	if from == world.FromUser {
		return 0, nil
	}
	wait, ok := h.newcomers.wait(addr, u.Host, time.Now(), patience)
	if !ok {
		return refuse(errCrowded)
	}
	return wait, nil
}

// LeaveOut implements world.Announcer.
func (h *HTTP) LeaveOut(r *announce.Reply, tracker netip.Addr) {
	(&visit{at: reachOf(tracker), all: h.allowPrivate}).leaveOut(r)
}

// Announce implements world.Announcer over HTTP and HTTPS (BEP 3). When the
// tracker reports a failure, done gets both the reply and an error of
// PhaseFailure. The returned cancel waits for a call of done that has already
// begun, so done must not call cancel.
func (h *HTTP) Announce(url string, from world.Origin, r announce.Request, timeout time.Duration, done func(announce.Reply, error)) (cancel func()) {
	ctx, stop := context.WithTimeout(context.Background(), timeout)
	d := &dialing{stop: stop}
	go func() {
		defer stop()
		reply, err := h.announce(ctx, url, from, r)
		d.answer(func() { done(reply, err) }, func() {})
	}()
	return d.cancel
}

func (h *HTTP) announce(ctx context.Context, base string, from world.Origin, r announce.Request) (announce.Reply, error) {
	url, err := r.URL(base)
	if err != nil {
		return announce.Reply{}, &world.AnnounceError{Phase: world.PhaseURL, Err: err}
	}
	v := h.visit(ctx, from)
	body, failed := h.get(ctx, url, v, announce.MaxReply)
	if failed != nil && failed.Phase != world.PhaseStatus {
		return announce.Reply{}, failed
	}
	reply, err := announce.ParseReply(body)
	switch {
	case err == nil && reply.Failure != "": // whatever the HTTP status
		return reply, &world.AnnounceError{Phase: world.PhaseFailure, Err: errors.New(reply.Failure)}
	case failed != nil:
		return announce.Reply{}, failed
	case err != nil:
		return announce.Reply{}, &world.AnnounceError{Phase: world.PhaseBencode, Err: err}
	}
	v.leaveOut(&reply)
	return reply, nil
}

// FetchTorrent reads a .torrent from an http or https URL. An error is a
// *world.AnnounceError whose phase tells what failed; if there is no such file,
// it is also fs.ErrNotExist.
func (h *HTTP) FetchTorrent(ctx context.Context, url string) ([]byte, error) {
	body, failed := h.get(ctx, url, h.visit(ctx, world.FromUser), metainfo.MaxTorrent)
	if failed != nil {
		return nil, failed
	}
	return body, nil
}
