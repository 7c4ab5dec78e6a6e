//go:build linux

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/spread"
)

// What a sample of a profile was spent on.
const (
	hashing  = "hashing"
	sockets  = "sockets"
	files    = "files"
	ownWork  = "the actors' own work"
	messages = "mailbox, scheduling, messages"
	tracing  = "trace"
	idling   = "falling asleep and waking up"
	others   = "collector and the rest"
)

var spentOn = []string{hashing, sockets, files, ownWork, messages, tracing, idling, others}

// owners says what the time in a function is spent on, by the beginning of its
// name. The first match counts.
var owners = []struct{ prefix, what string }{
	{"kouzui/wire/digest.", hashing},
	{"crypto/", hashing},
	{"kouzui/actors/runtime/trace.", tracing},
	{"kouzui/actors/runtime/supervise.(*ages)", tracing},
	{"kouzui/actors/runtime/supervise.(*Tree).record", tracing},
	{"kouzui/actors/runtime/supervise.(*Tree).sampl", tracing},
	{"kouzui/actors/runtime/supervise.Remark", tracing},
	{"kouzui/actors/runtime/supervise.(*node)", tracing},
	{"kouzui/actors/world/real.(*file)", files},
	{"kouzui/actors/world/real.(*folder)", files},
	{"os.", files},
	{"kouzui/actors/world/real.", sockets},
	{"net.", sockets},
	{"kouzui/actors/runtime/dispatch.", messages},
	{"kouzui/actors/runtime/supervise.", messages},
	{"github.com/asynkron/protoactor-go/", messages},
	{"kouzui/", ownWork},
}

// telling matches functions that wake, park or start goroutines. Whatever calls
// them, their time is the price of messages between goroutines. On the stacks
// of the scheduler, they have no caller.
var telling = regexp.MustCompile(`^(runtime\.(newproc|gopark|goready|ready|wakep|startm|stopm|mcall|mstart|park_m|schedule|` +
	`findRunnable|goexit0|newstack|morestack|chansend|chanrecv|selectgo|selectnbsend|sem[a-z]+)|` +
	`time\.(\(\*Timer\).*|newTimer)|sync\.\(\*Mutex\)\.(l|unl)ockSlow)\d?$`)

// allocating matches functions that allocate. What an actor allocates counts as
// a message; what other code allocates counts as its own work.
var allocating = regexp.MustCompile(`^runtime\.(mallocgc.*|newobject|makeslice|growslice)$`)

// acting says whether a function runs in actors.
func acting(f string) bool {
	return strings.HasPrefix(f, "kouzui/actors/") && !strings.HasPrefix(f, "kouzui/actors/world/")
}

// collector matches the garbage collector and the monitor of the runtime. Only
// the sweeper calls gosched_m.
var collector = regexp.MustCompile(`^runtime\.(gcBgMarkWorker|gcAssistAlloc|gcStart|gcDrain|bgsweep|bgscavenge|gosched_m|sysmon)`)

// asleep matches what threads do that find nothing to run, and the timers that
// wake them. Every program that waits for sockets has such samples.
var asleep = regexp.MustCompile(`^runtime\.(netpoll.*|wakeNetPoller|resetForSleep|\(\*timers?\)\..*|stopm|stealWork)$`)

// classify says what a sample was spent on. The stack begins with the innermost
// function.
func classify(stack []string) string {
	if slices.ContainsFunc(stack, collector.MatchString) {
		return others
	}
	told, allocated, slept := false, false, false
	for _, f := range stack {
		for _, o := range owners {
			if !strings.HasPrefix(f, o.prefix) {
				continue
			}
			if o.what != tracing && (told || allocated && acting(f)) {
				return messages
			}
			return o.what
		}
		told = told || telling.MatchString(f)
		allocated = allocated || allocating.MatchString(f)
		slept = slept || asleep.MatchString(f)
	}
	switch {
	case slept:
		return idling
	case told:
		return messages
	}
	return others
}

// shares counts the samples of a profile by what they were spent on.
func shares(stacks [][]string) map[string]int {
	spent := map[string]int{}
	for _, s := range stacks {
		spent[classify(s)]++
	}
	return spent
}

// shareTable has a row for each thing that time is spent on and a column for
// each client: the median of the rounds, with the least and the most.
func shareTable(r *report) string {
	head := []string{"of the CPU of a download, %"}
	var all [][]Run
	last := []string{"samples"}
	for _, c := range r.clients {
		var runs []Run
		sum := 0
		for _, run := range r.runs {
			if n := total(run.Spent); run.Client == c.Name && n > 0 {
				runs = append(runs, run)
				sum += n
			}
		}
		if sum == 0 {
			continue
		}
		head, all = append(head, c.Name), append(all, runs)
		last = append(last, fmt.Sprint(sum))
	}
	var rows [][]string
	for _, what := range spentOn {
		row := []string{what}
		for _, runs := range all {
			var values []float64
			for _, run := range runs {
				values = append(values, 100*float64(run.Spent[what])/float64(total(run.Spent)))
			}
			sp, _ := spread.Of(values)
			row = append(row, quantity{decimals: 1}.show(sp))
		}
		rows = append(rows, row)
	}
	return page.Table(head, append(rows, last))
}

func total(spent map[string]int) (n int) {
	for _, samples := range spent {
		n += samples
	}
	return n
}
