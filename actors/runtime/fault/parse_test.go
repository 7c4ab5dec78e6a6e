package fault

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Spec{
		"panic": {Kind: Panic, Actor: everyone, When: When{Count: 1}},
		"panic,actor=*/peer-*,message=BlocksArrived,p=0.01,seed=7": {
			Kind: Panic, Actor: "*/peer-*", Message: "BlocksArrived", When: When{P: 0.01, Seed: 7},
		},
		"panic,actor=*/store,at=2s":          {Kind: Panic, Actor: "*/store", When: When{At: 2 * time.Second, Count: 1}},
		"panic,every=100ms":                  {Kind: Panic, Actor: everyone, When: When{Pause: 100 * time.Millisecond}},
		"panic,every=5,count=3":              {Kind: Panic, Actor: everyone, When: When{Every: 5, Count: 3}},
		"hang,time=2s":                       {Kind: Hang, Actor: everyone, Time: 2 * time.Second, When: When{Count: 1}},
		"delay,time=1s,message=PeerBitfield": {Kind: Delay, Actor: everyone, Time: time.Second, Message: "PeerBitfield"},
		"link,peer=127.0.0.1:*,for=1m":       {Kind: Link, Actor: everyone, Peer: "127.0.0.1:*", When: When{For: time.Minute}},
		"disk,error=ENOSPC,at=3s,for=5s": {
			Kind: Disk, Actor: everyone, Error: "ENOSPC", When: When{At: 3 * time.Second, For: 5 * time.Second},
		},
		"disk,slow=50ms,op=write,path=*.iso": {Kind: Disk, Actor: everyone, Time: 50 * time.Millisecond, Op: "write", Path: "*.iso"},
		"datagram,error=lost,op=send,p=0.1":  {Kind: Datagram, Actor: everyone, Error: "lost", Op: "send", When: When{P: 0.1}},
		"datagram,slow=1s,peer=*:6881":       {Kind: Datagram, Actor: everyone, Time: time.Second, Peer: "*:6881"},
		"tracker,error=status,url=*a=b*":     {Kind: Tracker, Actor: everyone, Error: "status", URL: "*a=b*"},
	} {
		got, err := Parse(text)
		want.text = text
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Spec{})); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
		if got.String() != text {
			t.Errorf("%s is told as %s", text, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `there is no fault of kind ""; the kinds are datagram, delay, disk, hang, link, panic, tracker`,
		"Panic":                        `there is no fault of kind "Panic"`,
		"panic,":                       `panic has no key ""; the keys are actor, message, at, for, count, every, p, seed`,
		"panic,path=x":                 `panic has no key "path"`,
		"panic,actor":                  "actor needs a value",
		"panic,actor=":                 "actor needs a value",
		"panic,p=0.1,p=0.2":            "p is given twice",
		"panic,p=0":                    "p=0: must be above 0 and at most 1",
		"panic,p=1.1":                  "must be above 0",
		"panic,p=NaN":                  "must be above 0",
		"panic,p=-0.1":                 "must be above 0",
		"panic,every=0":                "every=0: must be a number of at least 1, or a time such as 500ms",
		"panic,every=-1s":              "must be a number of at least 1, or a time",
		"panic,count=0":                "count=0: must be a number of at least 1",
		"panic,count=many":             "must be a number of at least 1",
		"panic,seed=-1":                "seed=-1: must be a number of at least 0",
		"panic,at=-1s":                 "at=-1s: must be a time such as 500ms or 2m",
		"panic,at=3":                   "must be a time",
		"panic,for=0s":                 "must be a time",
		"panic,message=*Arrived":       "is not a message such as BlocksArrived",
		"panic,message=messages.Block": "is not a message",
		"hang":                         "hang needs time",
		"hang,time=0s":                 "must be a time",
		"delay,message=PeerBitfield":   "delay needs time",
		"link,message=PeerBitfield":    `link has no key "message"`,
		"disk":                         "disk needs error or slow",
		"disk,error=EFOO":              "error=EFOO: must be one of EACCES, EIO, ENOSPC, EROFS",
		"disk,error=EIO,slow=1s":       "a disk fault has either error or slow",
		"disk,error=EIO,op=sync":       "op=sync: must be one of read, write",
		"datagram,peer=*":              "datagram needs error or slow",
		"datagram,error=EIO":           "error=EIO: must be one of doubled, lost",
		"datagram,slow=1s,op=read":     "op=read: must be one of receive, send",
		"tracker":                      "tracker needs error",
		"tracker,error=EIO":            "must be one of bencode, connect, dns, failure, read, send, status, tls",
		"tracker,error=dns,slow=1s":    `tracker has no key "slow"`,
	} {
		_, err := Parse(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) && !strings.Contains(err.Error(), ": "+want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than a line: %v", text, err)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		fits          bool
	}{
		{"", "anything", true},
		{"*", "", true},
		{"*/peer-*", "client/torrent-1/engine/peers/peer-7", true},
		{"*/peer-*", "client/torrent-1/engine/peers", false},
		{"*/store", "client/torrent-1/engine/store", true},
		{"*/store", "client/torrent-1/engine/store/hash-0", false},
		{"client/*/engine", "client/torrent-1/engine", true},
		{"*a*b", "aab", true},
		{"*a*b", "aba", false},
		{"ab", "abc", false},
		{"a**c", "abc", true},
		{"*/*", "client", false},
	} {
		if got := Pattern(tc.pattern).Match(tc.text); got != tc.fits {
			t.Errorf("%q fits %q: %v", tc.pattern, tc.text, got)
		}
	}
}

// A pattern made from a text by putting stars in place of parts of it fits it.
func TestAPatternFitsWhatItWasMadeFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab/]{0,12}`).Draw(t, "text")
		pattern := text
		for range rapid.IntRange(0, 3).Draw(t, "stars") {
			from := rapid.IntRange(0, len(pattern)).Draw(t, "from")
			to := rapid.IntRange(from, len(pattern)).Draw(t, "to")
			pattern = pattern[:from] + "*" + pattern[to:]
		}
		if pattern != "" && !Pattern(pattern).Match(text) {
			t.Fatalf("%q does not fit %q", pattern, text)
		}
	})
}

// strikes are the occasions, one each 100 ms, at which a fault strikes.
func strikes(w When, occasions int) (struck []int) {
	t := newTrigger(w)
	for i := range occasions {
		if t.due(time.Duration(i) * 100 * time.Millisecond) {
			struck = append(struck, i)
		}
	}
	return struck
}

func TestWhen(t *testing.T) {
	for name, tc := range map[string]struct {
		when When
		want []int
	}{
		"always":             {When{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		"once":               {When{Count: 1}, []int{0}},
		"from a time on":     {When{At: 750 * time.Millisecond}, []int{8, 9}},
		"for a time":         {When{At: 200 * time.Millisecond, For: 200 * time.Millisecond}, []int{2, 3}},
		"every third":        {When{Every: 3}, []int{2, 5, 8}},
		"every third, twice": {When{Every: 3, Count: 2}, []int{2, 5}},
		"with pauses":        {When{Pause: 300 * time.Millisecond}, []int{0, 3, 6, 9}},
		"surely":             {When{P: 1, Count: 2}, []int{0, 1}},
	} {
		if diff := cmp.Diff(tc.want, strikes(tc.when, 10)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestChanceIsRepeatedByItsSeed(t *testing.T) {
	const n = 10_000
	w := When{P: 0.1, Seed: 7}
	first := strikes(w, n)
	if len(first) < n/20 || len(first) > n/5 {
		t.Errorf("%d of %d at p=%v", len(first), n, w.P)
	}
	if !cmp.Equal(first, strikes(w, n)) {
		t.Errorf("the seed %d does not repeat", w.Seed)
	}
	w.Seed++
	if cmp.Equal(first, strikes(w, n)) {
		t.Error("another seed changes nothing")
	}
}
