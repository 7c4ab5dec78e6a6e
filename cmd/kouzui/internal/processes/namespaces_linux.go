package processes

import (
	"os/exec"
	"time"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/shaped"
	"kouzui/cmd/kouzui/internal/exit"
)

// EnterNamespace begins this program anew in a network of its own, and returns
// nil there. It comes before all that should be done once.
func EnterNamespace() error {
	if err := shaped.Enter(); err != nil {
		return exit.Errorf(exit.Usage, "--netns cannot be used: %w", err)
	}
	return nil
}

// namespaces are a network in which each node has a network namespace.
type namespaces struct{ far *shaped.Network }

// newNamespaces makes a namespace for each node, with the link of its class.
// Links of clients that keep to limits of their own have no rates.
func newNamespaces(s *lab.Scenario) (network, error) {
	var links []shaped.Link
	for i := range s.Class {
		c := &s.Class[i]
		link := shaped.Link{Queue: time.Duration(c.Queue), Delay: time.Duration(c.Delay), Jitter: time.Duration(c.Jitter), Loss: c.Loss}
		if !c.Limits {
			link.Up, link.Down = int64(c.Up), int64(c.Down)
		}
		for range c.Count {
			links = append(links, link)
		}
	}
	far, err := shaped.NewFar(links)
	if err != nil {
		return nil, err
	}
	return namespaces{far}, nil
}

func (n namespaces) tracker() place { return place{n.far.Bridge.String(), (*exec.Cmd).Start} }

func (n namespaces) node(i int) place {
	host := &n.far.Hosts[i]
	return place{host.Addr.String(), host.Start}
}

func (n namespaces) cut()   { n.far.Cut(func(host int) int { return host % 2 }) }
func (n namespaces) heal()  { n.far.Cut(nil) }
func (n namespaces) close() { n.far.Close() }
