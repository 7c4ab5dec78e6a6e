package real

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
	"kouzui/wire/udptracker"
)

const (
	// scrapeAgain is after how long a scrape over UDP sends a packet again; the
	// pause doubles each time.
	scrapeAgain = 2 * time.Second
	// scrapeAddresses is how many addresses of a name are asked, one after the
	// other.
	scrapeAddresses = 4
)

// Scraper asks trackers how many peers a torrent has, without an announce.
type Scraper struct {
	HTTP   *HTTP
	Source *Source // where datagrams and look-ups leave from; nil: anywhere
}

// Scrape asks the tracker whose announce URL is base, over HTTP (BEP 48) or UDP
// (BEP 15). Where the URL may lead is decided as for an announce. An error is a
// *world.AnnounceError.
func (s *Scraper) Scrape(ctx context.Context, base string, from world.Origin, hash metainfo.Hash) (announce.Stats, error) {
	if strings.HasPrefix(base, "udp://") {
		return s.overUDP(ctx, base, from, hash)
	}
	return s.HTTP.scrape(ctx, base, from, hash)
}

func (h *HTTP) scrape(ctx context.Context, base string, from world.Origin, hash metainfo.Hash) (announce.Stats, error) {
	target, err := announce.ScrapeURL(base, hash)
	if err != nil {
		return announce.Stats{}, &world.AnnounceError{Phase: world.PhaseURL, Err: err}
	}
	v := h.visit(ctx, from)
	v.scrape = true
	body, failed := h.get(ctx, target, v, announce.MaxReply)
	if failed != nil {
		return announce.Stats{}, failed
	}
	all, err := announce.ParseScrape(body)
	if err != nil {
		return announce.Stats{}, &world.AnnounceError{Phase: world.PhaseBencode, Err: err}
	}
	stats, known := all[hash]
	if !known {
		return announce.Stats{}, &world.AnnounceError{Phase: world.PhaseFailure, Err: errors.New("it knows nothing of this torrent")}
	}
	return stats, nil
}

func (s *Scraper) overUDP(ctx context.Context, base string, from world.Origin, hash metainfo.Hash) (announce.Stats, error) {
	fail := func(phase world.Phase, err error) (announce.Stats, error) {
		return announce.Stats{}, &world.AnnounceError{Phase: phase, Err: err}
	}
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return fail(world.PhaseURL, errors.New("not a URL with a host"))
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return fail(world.PhaseURL, errors.New("it names no port"))
	}
	if s.Source.Proxied() {
		return fail(world.PhaseConnect, world.ErrProxied)
	}
	addrs, err := s.Source.Resolver().LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return fail(world.PhaseDNS, explain(ctx, err))
	}
	addrs = addrs[:min(len(addrs), scrapeAddresses)]
	until, bounded := ctx.Deadline()
	for i, addr := range addrs {
		addr = addr.Unmap()
		patience := serverKept
		if bounded {
			patience = time.Until(until)
		}
		var wait time.Duration
		if wait, err = s.HTTP.Permit(base, from, addr, patience); err != nil {
			continue
		}
		asking, stop := ctx, context.CancelFunc(func() {})
		if bounded { // each address has its part of what is left
			asking, stop = context.WithTimeout(ctx, wait+(time.Until(until)-wait)/time.Duration(len(addrs)-i))
		}
		var stats announce.Stats
		stats, err = s.ask(asking, netip.AddrPortFrom(addr, uint16(port)), wait, hash)
		stop()
		if err == nil {
			return stats, nil
		}
	}
	var known *world.AnnounceError
	if errors.As(err, &known) {
		return announce.Stats{}, known
	}
	return fail(world.PhaseRead, err)
}

// ask asks one address: for a connection ID, and with that for the counts.
func (s *Scraper) ask(ctx context.Context, tracker netip.AddrPort, wait time.Duration, hash metainfo.Hash) (announce.Stats, error) {
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return announce.Stats{}, explain(ctx, ctx.Err())
	}
	from := netip.IPv4Unspecified()
	if tracker.Addr().Is6() {
		from = netip.IPv6Unspecified()
	}
	batches, done := make(chan []messages.Datagram), make(chan struct{})
	socket, err := Packets{Source: s.Source}.Bind(netip.AddrPortFrom(from, 0), func(batch []messages.Datagram) {
		select {
		case batches <- batch:
		case <-done:
		}
	}, func(error) {})
	if err != nil {
		return announce.Stats{}, &world.AnnounceError{Phase: world.PhaseConnect, Err: err}
	}
	defer socket.Close()
	defer close(done)
	exchange := func(action udptracker.Action, packet func(transaction uint32) []byte) ([]byte, error) {
		var random [4]byte
		_, _ = rand.Read(random[:]) // it never fails
		transaction := binary.BigEndian.Uint32(random[:])
		again := time.NewTimer(0)
		defer again.Stop()
		for pause := scrapeAgain; ; {
			select {
			case <-ctx.Done():
				return nil, explain(ctx, ctx.Err())
			case <-again.C:
				if _, err := socket.Send([]messages.Datagram{{Addr: tracker, Data: packet(transaction)}}); err != nil {
					return nil, &world.AnnounceError{Phase: world.PhaseConnect, Err: err}
				}
				again.Reset(pause)
				pause *= 2
			case batch := <-batches:
				socket.Done()
				for _, d := range batch {
					answer, err := udptracker.ParseAnswer(d.Data)
					switch {
					case err != nil || d.Addr != tracker || answer.Transaction != transaction:
					case answer.Action == udptracker.Failed:
						return nil, &world.AnnounceError{Phase: world.PhaseFailure, Err: errors.New(udptracker.ParseFailed(answer.Body))}
					case answer.Action == action:
						return answer.Body, nil
					}
				}
			}
		}
	}
	body, err := exchange(udptracker.Connect, func(t uint32) []byte { return udptracker.AppendConnect(nil, t) })
	if err != nil {
		return announce.Stats{}, err
	}
	connection, err := udptracker.ParseConnected(body)
	if err != nil {
		return announce.Stats{}, err
	}
	hashes := []metainfo.Hash{hash}
	body, err = exchange(udptracker.Scrape, func(t uint32) []byte { return udptracker.AppendScrape(nil, connection, t, hashes) })
	if err != nil {
		return announce.Stats{}, err
	}
	stats := udptracker.ParseScrape(body, 1)[0]
	if stats == (announce.Stats{Seeders: -1, Leechers: -1, Completed: -1}) {
		return stats, &world.AnnounceError{Phase: world.PhaseFailure, Err: errors.New("it knows nothing of this torrent")}
	}
	return stats, nil
}
