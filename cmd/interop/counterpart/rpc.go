//go:build linux

package counterpart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
)

// direct ignores the environment's proxies.
var direct = &http.Client{Transport: &http.Transport{}}

// callJSON posts question as JSON and decodes the answer.
func callJSON(ctx context.Context, url string, header http.Header, question, answer any) error {
	return callThrough(ctx, direct, url, header, question, answer)
}

func callThrough(ctx context.Context, client *http.Client, url string, header http.Header, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	text, err := sendThrough(client, req)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, answer)
}

func send(req *http.Request) ([]byte, error) { return sendThrough(direct, req) }

func sendThrough(client *http.Client, req *http.Request) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &statusError{resp}
	}
	return text, err
}

type statusError struct{ *http.Response }

func (e *statusError) Error() string { return fmt.Sprintf("%s: %s", e.Request.URL, e.Status) }

// listens asks whether a program accepts connections at addr. It connects and
// sends nothing, which no client minds.
func listens(addr string) func(context.Context) (bool, error) {
	return accepts(new(net.Dialer).DialContext, addr)
}

// accepts asks the same where dial connects from.
func accepts(dial func(ctx context.Context, network, addr string) (net.Conn, error), addr string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		conn, err := dial(ctx, "tcp", addr)
		if err != nil {
			return false, err
		}
		return true, conn.Close()
	}
}
