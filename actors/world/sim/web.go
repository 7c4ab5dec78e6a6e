package sim

import (
	"errors"

	"kouzui/actors/world"
)

// noWeb serves nothing: no actor of a download does.
type noWeb struct{}

func (noWeb) Serve(string, world.WebLimits, func(world.WebRequest, func(world.WebResponse)), func(error)) (world.Listener, error) {
	return nil, errors.New("a simulated host serves no web")
}
