//go:build linux

package counterpart

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// rtorrent refuses torrents without a tracker. It unchokes only interested
// peers.
var rtorrent = Client{
	Name:       "rtorrent",
	Encryption: []Encryption{EncryptNothing, EncryptIfWanted, EncryptHandshake, EncryptAll},
	Dials:      true,
	program:    "rtorrent",
	version:    []string{"rtorrent", "-h"},
	start:      startRtorrent,
}

// rtorrentEncryption is what rtorrent calls it.
var rtorrentEncryption = map[Encryption][]string{
	EncryptNothing:   {"none"},
	EncryptIfWanted:  {"allow_incoming", "try_outgoing", "enable_retry"},
	EncryptHandshake: {"allow_incoming", "try_outgoing", "require", "prefer_plaintext"},
	EncryptAll:       {"allow_incoming", "try_outgoing", "require", "require_RC4"},
}

func startRtorrent(ctx context.Context, t Task) (*Process, error) {
	args := []string{"-n", "-b", t.Place.Host, "-p", fmt.Sprintf("%d-%d", t.Place.Port, t.Place.Port), "-d", t.Dir}
	for _, option := range []string{
		"system.daemon.set=true", "network.scgi.open_port=127.0.0.1:" + strconv.Itoa(t.Place.Port+1),
		"network.port_random.set=no", "dht.mode.set=disable", "protocol.pex.set=no", "trackers.use_udp.set=yes",
		"pieces.hash.on_completion.set=no",
	} {
		args = append(args, "-o", option)
	}
	p, err := launch(ctx, t.Home, nil, "rtorrent", args...)
	if err != nil {
		return nil, err
	}
	rpc := scgi("127.0.0.1:" + strconv.Itoa(t.Place.Port+1))
	complete := func(ctx context.Context) (bool, error) {
		value, err := rpc.call(ctx, "d.complete", strings.ToUpper(t.Hash))
		return value == "1", err
	}
	p.complete = func(ctx context.Context) error { return p.poll(ctx, complete) }
	err = p.poll(ctx, func(ctx context.Context) (bool, error) {
		_, err := rpc.call(ctx, "protocol.encryption.set", append([]string{""}, rtorrentEncryption[t.Encryption]...)...)
		if err == nil {
			_, err = rpc.call(ctx, "load.start", "", t.Torrent)
		}
		return err == nil, err
	})
	if err == nil {
		err = p.poll(ctx, func(ctx context.Context) (bool, error) {
			value, err := rpc.call(ctx, "d.is_active", strings.ToUpper(t.Hash))
			return value == "1", err
		})
	}
	if err == nil && t.Seed {
		err = p.complete(ctx)
	}
	for _, peer := range t.Peers {
		if err == nil {
			_, err = rpc.call(ctx, "add_peer", strings.ToUpper(t.Hash), peer)
		}
	}
	return p.started("rtorrent", err)
}

// scgi is the address of rtorrent's XML-RPC over SCGI.
type scgi string

// call returns the only value of the answer as text.
func (s scgi) call(ctx context.Context, method string, params ...string) (string, error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, "<?xml version=\"1.0\"?><methodCall><methodName>%s</methodName><params>", method)
	for _, param := range params {
		body.WriteString("<param><value><string>")
		_ = xml.EscapeText(&body, []byte(param))
		body.WriteString("</string></value></param>")
	}
	body.WriteString("</params></methodCall>")
	header := fmt.Sprintf("CONTENT_LENGTH\x00%d\x00SCGI\x001\x00", body.Len())

	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", string(s))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := fmt.Fprintf(conn, "%d:%s,%s", len(header), header, body.Bytes()); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	_, text, _ = bytes.Cut(text, []byte("\r\n\r\n"))
	var answer struct {
		Value struct {
			Text string `xml:",chardata"`
			Int  string `xml:"i4"`
			Long string `xml:"i8"`
		} `xml:"params>param>value"`
		Fault []string `xml:"fault>value>struct>member>value>string"`
	}
	if err := xml.Unmarshal(text, &answer); err != nil {
		return "", err
	}
	if answer.Fault != nil {
		return "", fmt.Errorf("%s: %s", method, strings.Join(answer.Fault, " "))
	}
	return strings.TrimSpace(answer.Value.Text + answer.Value.Int + answer.Value.Long), nil
}
