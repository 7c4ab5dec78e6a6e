package lab

import "testing"

// What random scenarios have found, as small as it could be made.
var found = map[string]string{
	// A process is killed before it has synced what it wrote. The next process
	// finds the data right, in the cache of the system, and enters it in the
	// journal. It must sync the data first: otherwise a power cut leaves a journal
	// that vouches for data that is lost.
	"killed, and then the power fails": `
content = "1 MiB"
piece = "32 KiB"
class = [{ name = "seed", have = 1.0, up = "128 KiB" }, { name = "leech" }]
event = [
	{ at = "3s", do = "kill", class = "leech", for = "1s" },
	{ at = "4200ms", do = "power cut", class = "leech", for = "1s" },
]
`,
	// All are complete, and what was asked for twice is still in send buffers,
	// which take minutes to leave behind a slow uplink. It is nobody's fault that
	// the receivers have blocks made ready for that.
	"slow uplinks, and all are complete": `
content = "1 MiB"
piece = "64 KiB"
class = [
	{ name = "seed", have = 1.0, up = "16 KiB" },
	{ name = "leech", count = 6, up = "2 KiB", sendbuffer = "1 MiB" },
]
`,
}

func TestFound(t *testing.T) {
	for name, text := range found {
		t.Run(name, func(t *testing.T) {
			s, err := Read(text)
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(8) {
				r, err := Run(s, Options{Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range r.Wrong {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
}
