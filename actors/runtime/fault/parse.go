package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kouzui/actors/runtime/units"
	"kouzui/actors/world"
	"kouzui/messages"
)

// everyone is the pattern of actors when none is given: all but the root, whose
// failure would end everything.
const everyone Pattern = "*/*"

// form is what Parse needs to know of a kind of fault.
type form struct {
	keys    []string // it may have, beside those of When
	needs   []string // at least one of these must be given
	errors  []string // values that its key error may have
	ops     []string // values that its key op may have
	lasting bool     // it strikes at each occasion, not only once, unless the Spec says how often
}

var forms = map[Kind]form{
	Panic: {keys: []string{"actor", "message"}},
	Hang:  {keys: []string{"actor", "message", "time"}, needs: []string{"time"}},
	Delay: {keys: []string{"actor", "message", "time"}, needs: []string{"time"}, lasting: true},
	Link:  {keys: []string{"actor", "peer"}},
	Disk: {
		keys: []string{"actor", "path", "op", "error", "slow"}, needs: []string{"error", "slow"},
		errors: slices.Sorted(maps.Keys(diskErrors)), ops: []string{"read", "write"}, lasting: true,
	},
	Datagram: {
		keys: []string{"actor", "peer", "op", "error", "slow"}, needs: []string{"error", "slow"},
		errors: []string{doubled, lost}, ops: []string{"receive", "send"}, lasting: true,
	},
	Tracker: {
		keys: []string{"actor", "url", "error"}, needs: []string{"error"},
		errors: slices.Sorted(maps.Keys(trackerErrors)), lasting: true,
	},
}

var whenKeys = []string{"at", "for", "count", "every", "p", "seed"}

// diskErrors are the errors of a disk by name. A disk that is full refuses only
// calls that need room, one that is read-only only calls that change something.
var diskErrors = map[string]error{
	"ENOSPC": full{syscall.ENOSPC},
	"EIO":    syscall.EIO,
	"EROFS":  syscall.EROFS,
	"EACCES": fs.ErrPermission,
}

type full struct{ error }

func (full) Is(target error) bool { return target == world.ErrFull }
func (f full) Unwrap() error      { return f.error }

var trackerErrors = map[string]world.Phase{
	"dns": world.PhaseDNS, "connect": world.PhaseConnect, "tls": world.PhaseTLS, "send": world.PhaseSend,
	"status": world.PhaseStatus, "read": world.PhaseRead, "bencode": world.PhaseBencode, "failure": world.PhaseFailure,
}

// UnknownMessage is the error of Parse for a fault that could never strike: no
// message has that name.
type UnknownMessage struct{ Name string }

func (e *UnknownMessage) Error() string { return "is not a message such as BlocksArrived" }

// Parse reads a Spec: a kind and then keys with their values, with commas in
// between, such as
//
//	panic,actor=*/peer-*,message=BlocksArrived,p=0.01,seed=7
//	disk,error=ENOSPC,at=3s,for=5s
//
// A panic, a hang and a cut link happen once unless for, count, every or p says
// how often; the other faults last.
func Parse(text string) (Spec, error) {
	words := strings.Split(text, ",")
	s := Spec{Kind: Kind(words[0]), Actor: everyone, text: text}
	form, ok := forms[s.Kind]
	if !ok {
		return s, fmt.Errorf("there is no fault of kind %q; the kinds are %s", words[0], list(slices.Sorted(maps.Keys(forms))))
	}
	known := slices.Concat(form.keys, whenKeys)
	given := map[string]bool{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case !slices.Contains(known, key):
			return s, fmt.Errorf("%s has no key %q; the keys are %s", s.Kind, key, list(known))
		case value == "":
			return s, fmt.Errorf("%s needs a value", key)
		case given[key]:
			return s, fmt.Errorf("%s is given twice", key)
		}
		given[key] = true
		if err := s.set(key, value, form); err != nil {
			return s, fmt.Errorf("%s=%s: %w", key, value, err)
		}
	}
	has := func(key string) bool { return given[key] }
	if len(form.needs) > 0 && !slices.ContainsFunc(form.needs, has) {
		return s, fmt.Errorf("%s needs %s", s.Kind, strings.Join(form.needs, " or "))
	}
	if has("error") && has("slow") {
		return s, fmt.Errorf("a %s fault has either error or slow; for both, give two faults", s.Kind)
	}
	if !form.lasting && !slices.ContainsFunc([]string{"for", "count", "every", "p"}, has) {
		s.Count = 1
	}
	return s, nil
}

func (s *Spec) set(key, value string, f form) (err error) {
	switch key {
	case "actor":
		s.Actor = Pattern(value)
	case "peer":
		s.Peer = Pattern(value)
	case "path":
		s.Path = Pattern(value)
	case "url":
		s.URL = Pattern(value)
	case "message":
		s.Message = value
		if !slices.Contains(messages.Names(), value) {
			return &UnknownMessage{value}
		}
	case "op":
		s.Op = value
		return oneOf(value, f.ops...)
	case "error":
		s.Error = value
		return oneOf(value, f.errors...)
	case "time", "slow":
		s.Time, err = duration(value, true)
	case "at":
		s.At, err = duration(value, false)
	case "for":
		s.For, err = duration(value, true)
	case "every":
		if s.Every, err = number(value); err != nil {
			if s.Pause, err = duration(value, true); err != nil {
				err = errors.New("must be a number of at least 1, or a time such as 500ms")
			}
		}
	case "count":
		s.Count, err = number(value)
	case "p":
		if s.P, err = strconv.ParseFloat(value, 64); err != nil || !(s.P > 0 && s.P <= 1) {
			err = errors.New("must be above 0 and at most 1")
		}
	case "seed":
		if s.Seed, err = strconv.ParseUint(value, 10, 64); err != nil {
			err = errors.New("must be a number of at least 0")
		}
	}
	return err
}

func oneOf(value string, from ...string) error {
	if !slices.Contains(from, value) {
		return fmt.Errorf("must be one of %s", list(from))
	}
	return nil
}

func number(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return 0, errors.New("must be a number of at least 1")
	}
	return n, nil
}

func duration(value string, positive bool) (time.Duration, error) {
	d, err := units.ParseDuration(value)
	if err != nil || d < 0 || positive && d == 0 {
		return 0, errors.New("must be a time such as 500ms or 2m")
	}
	return d, nil
}

func list[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
