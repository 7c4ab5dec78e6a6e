//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"kouzui/cmd/internal/page"
	"kouzui/cmd/interop/counterpart"
)

// What a sample of a profile was spent on.
const (
	hashing  = "hashing"
	sockets  = "sockets"
	files    = "files"
	ownWork  = "the actors' own work"
	messages = "mailbox, scheduling, messages"
	tracing  = "trace"
	watching = "being watched"
	others   = "collector and the rest"
)

var spentOn = []string{hashing, sockets, files, ownWork, messages, tracing, watching, others}

// owners are whose code a function is, by the beginning of its name. The first
// that fits counts.
var owners = []struct{ prefix, what string }{
	{"kouzui/wire/digest.", hashing},
	{"crypto/", hashing},
	{"kouzui/actors/trace.", tracing},
	{"kouzui/actors/supervise.(*ages)", tracing},
	{"kouzui/actors/supervise.(*Tree).record", tracing},
	{"kouzui/actors/supervise.(*Tree).sampl", tracing},
	{"kouzui/actors/supervise.Remark", tracing},
	{"kouzui/actors/supervise.(*node)", tracing},
	{"kouzui/actors/observe.", watching},
	{"net/http.", watching},
	{"runtime/pprof.", watching},
	{"kouzui/actors/world/real.(*file)", files},
	{"kouzui/actors/world/real.(*folder)", files},
	{"os.", files},
	{"kouzui/actors/world/real.", sockets},
	{"net.", sockets},
	{"kouzui/actors/dispatch.", messages},
	{"kouzui/actors/supervise.", messages},
	{"github.com/asynkron/protoactor-go/", messages},
	{"kouzui/", ownWork},
}

// Below whatever calls them, these are the price of telling another goroutine:
// to allocate, and to wake, wait or begin. On stacks of the scheduler's own
// nobody calls them.
var telling = regexp.MustCompile(`^(runtime\.(mallocgc|newobject|makeslice|growslice|newproc|gopark|goready|ready|wakep|` +
	`startm|stopm|mcall|mstart|park_m|schedule|findRunnable|goschedImpl|goexit0|chansend|chanrecv|selectgo|selectnbsend|sem.*)|` +
	`time\.(Sleep|\(\*Timer\).*|newTimer)|sync\.\(\*Mutex\)\.(l|unl)ockSlow)$`)

// Whatever allocation has to be paid for later, and what looks after the others.
var collector = regexp.MustCompile(`^runtime\.(gcBgMarkWorker|gcAssistAlloc|gcStart|gcDrain|bgsweep|bgscavenge|sysmon)`)

// classify tells what a sample was spent on; its stack begins with the innermost
// function.
func classify(stack []string) string {
	if slices.ContainsFunc(stack, collector.MatchString) {
		return others
	}
	told := false
	for _, f := range stack {
		for _, o := range owners {
			if !strings.HasPrefix(f, o.prefix) {
				continue
			}
			if told && o.what != tracing && o.what != watching {
				return messages
			}
			return o.what
		}
		told = told || telling.MatchString(f)
	}
	if told {
		return messages
	}
	return others
}

// shares adds up the nanoseconds of a profile by what they were spent on.
func shares(p *profile.Profile) map[string]int64 {
	spent := map[string]int64{}
	for _, s := range p.Sample {
		var stack []string
		for _, l := range s.Location {
			for _, line := range l.Line {
				stack = append(stack, line.Function.Name)
			}
		}
		spent[classify(stack)] += s.Value[len(s.Value)-1]
	}
	return spent
}

// observed is the process's live page, with the token that it asks for.
var observed = regexp.MustCompile(`Observe this run at (\S+)`)

// profiled takes a profile of a Kouzui that shows itself, for so long.
func profiled(ctx context.Context, p *counterpart.Process, d time.Duration) (map[string]int64, error) {
	found := observed.FindStringSubmatch(p.LogTail())
	if found == nil {
		return nil, fmt.Errorf("%s does not say where it can be observed", p.Name)
	}
	u, err := url.Parse(found[1])
	if err != nil {
		return nil, err
	}
	query := u.Query()
	query.Set("seconds", strconv.Itoa(int(d.Seconds())))
	u.Path, u.RawQuery = "/debug/pprof/profile", query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s gives no profile: %s", p.Name, response.Status)
	}
	parsed, err := profile.Parse(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the profile of %s: %w", p.Name, err)
	}
	return shares(parsed), nil
}

// shareTable has a row for each thing that time is spent on and a column for
// each client, all rounds together.
func shareTable(r *report) string {
	head := []string{"of the CPU of a download, %"}
	var columns []map[string]int64
	sampled := []string{"CPU seconds sampled"}
	for _, c := range r.clients {
		total, sum := map[string]int64{}, int64(0)
		for _, run := range r.runs {
			if run.Client == c.Name {
				for what, n := range run.Spent {
					total[what] += n
					sum += n
				}
			}
		}
		if sum == 0 {
			continue
		}
		total[""] = sum
		head, columns = append(head, c.Name), append(columns, total)
		sampled = append(sampled, fmt.Sprintf("%.2f", time.Duration(sum).Seconds()))
	}
	var rows [][]string
	for _, what := range spentOn {
		row := []string{what}
		for _, c := range columns {
			row = append(row, fmt.Sprintf("%.1f", 100*float64(c[what])/float64(c[""])))
		}
		rows = append(rows, row)
	}
	return page.Table(head, append(rows, sampled))
}
