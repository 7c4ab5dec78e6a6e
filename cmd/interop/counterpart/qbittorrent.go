//go:build linux

package counterpart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// qbittorrent may drop the first connection to it when it seeds.
var qbittorrent = Client{
	Name: "qbittorrent", Pads: true,
	Encryption: []Encryption{EncryptNothing, EncryptIfWanted, EncryptAll},
	Dials:      true,
	program:    "qbittorrent-nox",
	version:    []string{"qbittorrent-nox", "--version"},
	start:      startQbittorrent,
}

const qbittorrentSettings = `[BitTorrent]
Session\BTProtocol=TCP
Session\DHTEnabled=false
Session\LSDEnabled=false
Session\PeXEnabled=false
Session\Encryption=%[4]d
Session\InterfaceAddress=%[1]s
Session\Port=%[2]d
Session\MultiConnectionsPerIp=true
Session\QueueingSystemEnabled=false

[LegalNotice]
Accepted=true

[Network]
PortForwardingEnabled=false

[Preferences]
Connection\ResolvePeerCountries=false
Connection\UPnP=false
WebUI\Address=127.0.0.1
WebUI\LocalHostAuth=false
WebUI\Port=%[3]d
WebUI\UseUPnP=false
`

func startQbittorrent(ctx context.Context, t Task) (*Process, error) {
	folder := filepath.Join(t.Home, "qBittorrent", "config")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	encryption := map[Encryption]int{EncryptNothing: 2, EncryptIfWanted: 0, EncryptAll: 1}
	settings := fmt.Sprintf(qbittorrentSettings, t.Place.Host, t.Place.Port, t.Place.Port+1, encryption[t.Encryption])
	if err := os.WriteFile(filepath.Join(folder, "qBittorrent.conf"), []byte(settings), 0o600); err != nil {
		return nil, err
	}
	p, err := launch(ctx, t.Home, nil, "qbittorrent-nox", "--profile="+t.Home)
	if err != nil {
		return nil, err
	}
	api := qbittorrentAPI("http://127.0.0.1:" + strconv.Itoa(t.Place.Port+1) + "/api/v2/torrents/")
	complete := func(ctx context.Context) (bool, error) {
		state, err := api.state(ctx, t.Hash)
		return seeding(state), err
	}
	p.complete = func(ctx context.Context) error { return p.poll(ctx, complete) }
	err = p.poll(ctx, func(ctx context.Context) (bool, error) {
		err := api.add(ctx, t.Torrent, t.Dir)
		return err == nil, err
	})
	if err == nil {
		// The torrent appears after a moment, and is checked after another. Peers
		// that are added before are forgotten.
		err = p.poll(ctx, func(ctx context.Context) (bool, error) {
			state, err := api.state(ctx, t.Hash)
			return state == "downloading" || state == "stalledDL" || seeding(state), err
		})
	}
	if err == nil && t.Peers != nil {
		peers := url.Values{"hashes": {t.Hash}, "peers": {strings.Join(t.Peers, "|")}}
		_, err = api.post(ctx, "addPeers", "application/x-www-form-urlencoded", []byte(peers.Encode()))
	}
	if err == nil && t.Seed {
		err = p.complete(ctx)
	}
	return p.started("qbittorrent", err)
}

type qbittorrentAPI string

func (a qbittorrentAPI) post(ctx context.Context, method, kind string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(a)+method, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	return send(req)
}

func (a qbittorrentAPI) add(ctx context.Context, torrent, dir string) error {
	raw, err := os.ReadFile(torrent)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("savepath", dir)
	file, err := form.CreateFormFile("torrents", "a.torrent")
	if err != nil {
		return err
	}
	_, _ = file.Write(raw)
	_ = form.Close()
	text, err := a.post(ctx, "add", form.FormDataContentType(), body.Bytes())
	if err == nil && string(text) != "Ok." {
		err = fmt.Errorf("add: %s", text)
	}
	return err
}

// state is the state in the words of the API, or "" if there is no such
// torrent.
func (a qbittorrentAPI) state(ctx context.Context, hash string) (string, error) {
	text, err := a.post(ctx, "info?hashes="+hash, "", nil)
	if err != nil {
		return "", err
	}
	var torrents []struct {
		State      string
		Completion int64 `json:"completion_on"` // Unix time; the state is ahead of it for a moment
	}
	if err := json.Unmarshal(text, &torrents); err != nil || len(torrents) != 1 {
		return "", err
	}
	if t := torrents[0]; !seeding(t.State) || t.Completion > 0 {
		return t.State, nil
	}
	return "", nil
}

func seeding(state string) bool { return state == "uploading" || state == "stalledUP" }
