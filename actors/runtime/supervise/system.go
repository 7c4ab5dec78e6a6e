package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
)

// NewSystem returns an actor system that logs through logger. What the actor
// library has to say is a level quieter than it thinks: the trace says it
// better.
func NewSystem(logger zerolog.Logger) *actor.ActorSystem {
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(&handler{zerolog.NewSlogHandler(logger)})
		}),
		// The throttle keeps a goroutine for its interval.
		actor.WithDeadLetterThrottleInterval(10*time.Millisecond),
		actor.WithDeadLetterThrottleCount(1),
	)
	shrink(system.ProcessRegistry)
	return system
}

// buckets of the process registry, with 32 locks and maps each. The library
// makes 1,024: three megabytes, and more objects than all of Kouzui's own for
// the garbage collector to visit each time.
const buckets = 1

// shrink keeps the first buckets of a registry that nobody else knows yet.
func shrink(registry *actor.ProcessRegistryValue) {
	all := registry.LocalPIDs.LocalPIDs
	registry.LocalPIDs.LocalPIDs = slices.Clone(all[:buckets])
	for _, bucket := range all {
		if bucket.IsEmpty() { // the look into it would cost a goroutine for each of its maps
			continue
		}
		for id, process := range bucket.Items() {
			bucket.Remove(id)
			registry.LocalPIDs.GetBucket(id).Set(id, process)
		}
	}
}

// handler keeps messages' contents and zerolog's own field names out of the
// records of the actor library.
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
