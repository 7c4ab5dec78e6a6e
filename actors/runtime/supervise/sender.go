package supervise

import (
	"cmp"
	"runtime"
	"strings"
	"sync"

	"kouzui/actors/runtime/work"
)

// callersKept is how many frames of the stack of a sender are looked at: its
// Receive stands within the first twenty.
const callersKept = 24

// callers is the stack of who has sent a message.
type callers struct {
	pc [callersKept]uintptr
	n  int
}

// whoCalls returns the stack of the sender, without the frames that all senders
// have.
func whoCalls() *callers {
	c := &callers{}
	c.n = runtime.Callers(3, c.pc[:])
	return c
}

// sender is the kind of the actor in whose Receive a message was sent, or
// work.World if it was in none, or by a link or disk that the actor has called.
// The actor library does not tell the receiver who has sent a message, and to
// send it along would cost every message.
func (c *callers) sender() string {
	if c == nil {
		return ""
	}
	found := ""
	for _, pc := range c.pc[:c.n] {
		kind, known := kindsByPC.Load(pc)
		if !known {
			kind = kindAt(pc)
			kindsByPC.Store(pc, kind)
		}
		if kind != "" {
			found = kind.(string) // the last one is the actor's own: an actor may call others' packages
		}
		if found == work.World {
			break
		}
	}
	return cmp.Or(found, work.World)
}

// kindsByPC remembers what kindAt has found: of each place in the program once.
var kindsByPC sync.Map

// folders are the kinds of actors that are not called like their folder, by the
// folder.
var folders = map[string]string{"hasher": "hash"}

// kindAt is the kind of actor to which a place in the program belongs; "" if
// it is of no actor.
func kindAt(pc uintptr) string {
	frames := runtime.CallersFrames([]uintptr{pc})
	for {
		f, more := frames.Next()
		if path, ours := strings.CutPrefix(f.Function, "kouzui/actors/"); ours {
			path, _, _ = strings.Cut(path, ".")
			parts := strings.Split(path, "/")
			switch name := parts[len(parts)-1]; {
			case parts[0] == "world":
				return work.World
			case parts[0] == "runtime" || parts[0] == "lab":
			case folders[name] != "":
				return folders[name]
			default:
				return name
			}
		}
		if !more {
			return ""
		}
	}
}
