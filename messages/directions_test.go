package messages

import (
	"go/ast"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// parents is the supervision tree with both of its ends: a link below its peer,
// and above the root the program, which gives commands and hears of events.
var parents = map[string]string{
	"link":      "peer",
	"peer":      "peers",
	"peers":     "engine",
	"store":     "engine",
	"scheduler": "engine",
	"choker":    "engine",
	"web":       "engine",
	"engine":    "torrent",
	"tracker":   "torrent",
	"metadata":  "torrent",
	"torrent":   "torrents",
	"torrents":  "client",
	"session":   "client",
	"listener":  "client",
	"socket":    "client",
	"dht":       "client",
	"limiter":   "client",
	"mapper":    "client",
	"client":    "program",
}

// imperatives begin the names of commands.
var imperatives = []string{
	"Add", "Adopt", "Announce", "Ban", "Bind", "Cancel", "Close", "Disconnect", "Drop", "Evict", "Flush", "Forget", "Listen", "Pause", "Prove", "Refuse",
	"Report", "Request", "Restore", "Route", "Search", "Send", "Set", "Start", "Stop", "StoreBlocks", "Tell",
}

// participles end the names of events, beside all words in -ed.
var participles = []string{"Done", "Found", "Gone", "Heard", "Known", "Proven", "Sent", "Unsent"}

// states end the names of events that tell a state: of the sender, of the other
// side of a connection (BEP 3), of a piece, or figures.
var states = []string{"Ready", "Useful", "Corrupt", "Checking", "Servable", "Bitfield", "Have", "Choking", "Rates", "Progress", "Report"}

type form string

const (
	neither  form = "neither"
	command  form = "a command"
	event    form = "an event"
	question form = "a question"
)

func formOf(name string) form {
	words := regexp.MustCompile(`[A-Z][a-z]*`).FindAllString(name, -1)
	begins := func(with string) bool {
		rest, is := strings.CutPrefix(name, with)
		return is && (rest == "" || unicode.IsUpper(rune(rest[0])))
	}
	last := words[len(words)-1]
	switch {
	case begins("Query"):
		return question
	case slices.ContainsFunc(imperatives, begins):
		return command
	case strings.HasSuffix(last, "ed"), slices.Contains(participles, last), slices.Contains(states, last):
		return event
	}
	return neither
}

// ends returns the senders and the receivers of a message, by the first words
// of its doc: "peers or listener to the client, and on to ..." gives peers and
// listener, and client.
func ends(doc string, docs map[string]string) (from, to []string) {
	sender, receiver, _ := strings.Cut(doc, " to ")
	if from = actors(sender); strings.HasPrefix(doc, "a command ") || strings.HasPrefix(doc, "a question ") {
		from = []string{"program"}
	}
	if whose, is := strings.CutPrefix(receiver, "the sender of "); is {
		asked, _, _ := strings.Cut(strings.TrimRight(whose, ".:"), " ")
		to, _ = ends(docs[strings.TrimRight(asked, ".,:")], docs)
		return from, to
	}
	return from, actors(receiver)
}

// actors reads names of actors until something else comes.
func actors(text string) (names []string) {
	for word := range strings.FieldsSeq(text) {
		name := strings.TrimRight(word, ".,:")
		switch name {
		case "a", "all", "and", "every", "its", "or", "parent", "the":
			continue
		}
		if _, is := parents[name]; !is {
			return names
		}
		names = append(names, name)
		if name != word && strings.HasSuffix(word, ".") || strings.HasSuffix(word, ":") {
			return names
		}
	}
	return names
}

// above tells whether an actor is above another in the tree.
func above(upper, lower string) bool {
	for at, is := parents[lower]; is; at, is = parents[at] {
		if at == upper {
			return true
		}
	}
	return false
}

// A command never goes up the tree and an event never goes down, unless it
// answers a question or another message that says so; a question names its
// answer. Siblings, and what is below them, may command each other and tell
// each other of events.
func TestNamesFollowDirections(t *testing.T) {
	docs, order := documented(t)
	answers := map[string]bool{}
	says := regexp.MustCompile(`(?:answers?|answered) [^.]*`)
	word := regexp.MustCompile(`\b[A-Z]\w+`)
	for _, doc := range docs {
		for _, clause := range says.FindAllString(doc, -1) {
			for _, name := range word.FindAllString(clause, -1) {
				answers[name] = true
			}
		}
	}
	for _, name := range order {
		doc := docs[name]
		from, to := ends(doc, docs)
		if len(from) == 0 || len(to) == 0 {
			t.Errorf("the doc of %s does not say from whom to whom it goes: %s", name, doc)
			continue
		}
		form := formOf(name)
		if form == neither {
			t.Errorf("%s is no command, no event and no question by its name", name)
		}
		if form == question && !says.MatchString(doc) {
			t.Errorf("the doc of %s does not name the answer", name)
		}
		for _, sender := range from {
			for _, receiver := range to {
				switch {
				case form == command && above(receiver, sender):
					t.Errorf("%s is a command, and goes up from %s to %s", name, sender, receiver)
				case form == event && above(sender, receiver) && !answers[name]:
					t.Errorf("%s is an event, and goes down from %s to %s", name, sender, receiver)
				}
			}
		}
	}
}

// An actor that sends or takes a message by its doc knows the message.
func TestTheDocsNameWhoKnowsAMessage(t *testing.T) {
	known := map[string]map[string]bool{} // messages by actor
	for actor := range parents {
		known[actor] = map[string]bool{}
		folder := filepath.Join("..", "actors", actor)
		for _, f := range slices.Concat(sources(t, folder), sources(t, filepath.Join(folder, "*"))) {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, is := n.(*ast.SelectorExpr); is {
					if x, is := s.X.(*ast.Ident); is && x.Name == "messages" {
						known[actor][s.Sel.Name] = true
					}
				}
				return true
			})
		}
	}
	docs, order := documented(t)
	for _, name := range order {
		from, to := ends(docs[name], docs)
		for _, actor := range slices.Concat(from, to) {
			if actor != "link" && actor != "program" && !known[actor][name] {
				t.Errorf("%s names %s, which does not know it", name, actor)
			}
		}
	}
}
