//go:build linux

package counterpart

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// WebServer is a program that serves the files of a folder over HTTP.
type WebServer struct {
	Name string

	program string
	version []string
	start   func(ctx context.Context, home, folder string, at Place) (*Process, error)
}

// Version returns the version that the program prints, or why it cannot be run.
func (w WebServer) Version() (string, error) { return version(w.program, w.version) }

// Start returns when the server answers.
func (w WebServer) Start(ctx context.Context, home, folder string, at Place) (*Process, error) {
	p, err := w.start(ctx, home, folder, at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	p.Name, p.Addr = w.Name, at.Peer()
	return p, nil
}

// nginxConfig has HOME, FOLDER and AT replaced. One process is all that there
// is, run by whoever runs the test, so that the test can end it.
const nginxConfig = `daemon off;
master_process off;
pid HOME/pid;
error_log HOME/error.log;
events { worker_connections 64; }
http {
	access_log HOME/access.log;
	client_body_temp_path HOME/temp; proxy_temp_path HOME/temp; fastcgi_temp_path HOME/temp; uwsgi_temp_path HOME/temp; scgi_temp_path HOME/temp;
	server { listen AT; root FOLDER; }
}
`

// Nginx is a server as most web seeds are.
var Nginx = WebServer{
	Name:    "nginx",
	program: "/usr/sbin/nginx",
	version: []string{"dpkg-query", "--show", "--showformat=${Version}", "nginx-common"},
	start: func(ctx context.Context, home, folder string, at Place) (*Process, error) {
		config := filepath.Join(home, "nginx.conf")
		text := strings.NewReplacer("HOME", home, "FOLDER", folder, "AT", at.Peer()).Replace(nginxConfig)
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			return nil, err
		}
		p, err := launch(ctx, home, nil, "/usr/sbin/nginx", "-c", config)
		if err != nil {
			return nil, err
		}
		return p.started("nginx", p.poll(ctx, listens(at.Peer())))
	},
}
