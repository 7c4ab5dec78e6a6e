package lab

import (
	"net/netip"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/udptracker"
)

const (
	// foeAsksFor is how long a foe asks a tracker, and foeAsksEvery after how long
	// it asks again over UDP.
	foeAsksFor   = 30 * time.Second
	foeAsksEvery = 5 * time.Second
)

// announce announces a foe to the tracker, for ever, and has it dial peers.
func (f *foe) announce(e announce.Event) {
	r := announce.Request{InfoHash: f.run.content.torrent.InfoHash, PeerID: f.id, Port: foePort, Left: 1, NumWant: 50, Event: e}
	answered := func(reply announce.Reply, _ error) {
		f.world.Clock.AfterFunc(time.Duration(f.run.Announce), func() { f.announce(announce.None) })
		for _, p := range reply.Peers[:min(callsEach, len(reply.Peers))] {
			f.call(p.Addr)
		}
	}
	if f.run.Tracker == TrackerUDP {
		f.announceUDP(r, answered)
		return
	}
	f.world.Trackers.Announce(f.run.trackerURL(), world.FromTorrent, r, foeAsksFor, answered)
}

// announceUDP asks the tracker over UDP, again and again until it has answered
// or the time is up.
func (f *foe) announceUDP(r announce.Request, done func(announce.Reply, error)) {
	var socket world.PacketSocket
	var tracker netip.AddrPort
	var packet []byte
	transaction, over := f.rnd.Uint32(), false
	end := func(reply announce.Reply) {
		if !over {
			over = true
			socket.Close()
			done(reply, nil)
		}
	}
	socket, err := f.world.Packets.Bind(netip.AddrPortFrom(netip.IPv4Unspecified(), 0), func(batch []messages.Datagram) {
		socket.Done()
		for _, d := range batch {
			answer, err := udptracker.ParseAnswer(d.Data)
			if err != nil || over || answer.Transaction != transaction {
				continue
			}
			switch answer.Action {
			case udptracker.Connect:
				if id, err := udptracker.ParseConnected(answer.Body); err == nil {
					packet = udptracker.AppendAnnounce(nil, id, transaction, r, "")
					_, _ = socket.Send([]messages.Datagram{{Addr: tracker, Data: packet}})
				}
			case udptracker.Announce:
				if reply, err := udptracker.ParseReply(answer.Body, false); err == nil {
					end(reply)
				}
			case udptracker.Failed: // the tracker has begun anew
				packet = udptracker.AppendConnect(nil, transaction)
			}
		}
	}, nil)
	if err != nil {
		done(announce.Reply{}, err)
		return
	}
	packet = udptracker.AppendConnect(nil, transaction)
	var ask func()
	ask = func() {
		if !over {
			_, _ = socket.Send([]messages.Datagram{{Addr: tracker, Data: packet}})
			f.world.Clock.AfterFunc(foeAsksEvery, ask)
		}
	}
	f.world.Clock.AfterFunc(foeAsksFor, func() { end(announce.Reply{}) })
	f.world.Names.Resolve(trackerName, foeAsksFor, func(addrs []netip.Addr, err error) {
		if err == nil {
			tracker = netip.AddrPortFrom(addrs[0], trackerPort)
			ask()
		}
	})
}
