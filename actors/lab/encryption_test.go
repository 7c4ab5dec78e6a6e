package lab

import (
	"testing"
	"time"
)

// Clients whose policies of encryption have something in common find it out and
// get everything from each other, whoever dials: the seed is known to the
// leeches, and they to the seed, by a tracker.
func TestEncryptionPolicies(t *testing.T) {
	for seed, leeches := range map[string][]string{
		"allow":   {"allow", "prefer", "require", "off"},
		"prefer":  {"allow", "prefer", "require", "off"},
		"require": {"allow", "prefer", "require"},
		"off":     {"allow", "prefer", "off"},
	} {
		for _, leech := range leeches {
			for _, payload := range []string{PayloadReal, PayloadDescribed} {
				s := &Scenario{
					Content: 1 << 20, Piece: 64 << 10, Limit: Time(2 * time.Minute), Payload: payload,
					Class: []Class{
						{Name: "seed", Have: 1, Up: 1 << 20, Delay: Time(20 * time.Millisecond), Encryption: seed},
						{Name: "leech", Delay: Time(20 * time.Millisecond), Encryption: leech},
					},
				}
				r, err := Run(s, Options{Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				for _, err := range r.Wrong {
					t.Errorf("seed %s, leech %s: %v", seed, leech, err)
				}
				t.Logf("seed %s, leech %s: %v", seed, leech, r.Times())
			}
		}
	}
}
