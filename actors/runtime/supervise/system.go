package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	cmap "github.com/orcaman/concurrent-map"
	"github.com/rs/zerolog"
)

// NewSystem returns an actor system that logs through logger. Records of the
// actor library are logged one level lower than the library asks for, because
// the trace has the same information.
func NewSystem(logger zerolog.Logger) *actor.ActorSystem {
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(&handler{zerolog.NewSlogHandler(logger)})
		}),
		// The throttle of dead letters runs a goroutine for each interval, which a
		// test would find still running: keep it short.
		actor.WithDeadLetterThrottleInterval(10*time.Millisecond),
		actor.WithDeadLetterThrottleCount(1),
	)
	shrink(system.ProcessRegistry)
	return system
}

// buckets is how many buckets of the process registry are kept, with a lock and
// a map each. The library makes 1,024.
const buckets = 32

// init gives each bucket one lock and one map, not 32. The library would make
// 32,768 of them for a system: three megabytes, more objects for the garbage
// collector than all of Kouzui's own, and five milliseconds, a tenth of what a
// simulated swarm takes. The number is one for the whole process, and may not
// change while a registry is in use.
func init() { cmap.SHARD_COUNT = 1 }

// shrink reduces a registry that is not in use yet to its first buckets.
func shrink(registry *actor.ProcessRegistryValue) {
	all := registry.LocalPIDs.LocalPIDs
	registry.LocalPIDs.LocalPIDs = slices.Clone(all[:buckets])
	for _, bucket := range all {
		if bucket.IsEmpty() { // Items would start a goroutine for each of its maps
			continue
		}
		for id, process := range bucket.Items() {
			bucket.Remove(id)
			registry.LocalPIDs.GetBucket(id).Set(id, process)
		}
	}
}

// handler keeps the contents of messages out of the library's log records, and
// renames an attribute whose key is one of zerolog's own.
type handler struct{ slog.Handler }

func quieter(l slog.Level) slog.Level {
	if l >= slog.LevelWarn {
		return l
	}
	return l - (slog.LevelInfo - slog.LevelDebug)
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Handler.Enabled(ctx, quieter(level))
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, quieter(r.Level), r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(plain(a))
		return true
	})
	return h.Handler.Handle(ctx, clean)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = plain(a)
	}
	return &handler{h.Handler.WithAttrs(clean)}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.Handler.WithGroup(name)}
}

func plain(a slog.Attr) slog.Attr {
	if a.Key == zerolog.MessageFieldName {
		a.Key = "message_type"
	}
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch v := a.Value.Any().(type) {
	case *actor.PID:
		a.Value = slog.StringValue(v.GetId())
	case error:
		a.Value = slog.StringValue(v.Error())
	default:
		a.Value = slog.StringValue(fmt.Sprintf("%T", v))
	}
	return a
}
