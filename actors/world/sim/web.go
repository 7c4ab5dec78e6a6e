package sim

import (
	"errors"

	"kouzui/actors/world"
)

// noWeb is a world.Web that serves nothing: the actors of a client need none.
type noWeb struct{}

func (noWeb) Serve(string, world.WebLimits, func(world.WebRequest, func(world.WebResponse)), func(error)) (world.Listener, error) {
	return nil, errors.New("a simulated host serves no web")
}
