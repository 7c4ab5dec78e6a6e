package lab

import (
	"strings"
	"testing"
	"time"
)

const oneSeed = "content = \"1 MiB\"\n[[class]]\nname = \"seed\"\nhave = 1.0\n"

// Scenarios take sizes, rates and times as the command line does.
func TestAmountsOfAScenario(t *testing.T) {
	s, err := Read(oneSeed + "up = \"1 MB\"\ndown = \"8 Mbit\"\nmemory = \"1.5MiB\"\ndelay = \"1m30s\"\nleave = \"1d\"\ndisk = { rate = 1000, latency = \"5 ms\" }\n")
	if err != nil {
		t.Fatal(err)
	}
	c := s.Class[0]
	if c.Up != 1e6 || c.Down != 1e6 || c.Memory != 3<<19 || c.Delay != Time(90*time.Second) || c.Disk.Rate != 1000 || c.Disk.Latency != Time(5*time.Millisecond) {
		t.Errorf("%+v", c)
	}
	if again, err := Read(s.TOML()); err != nil || again.Class[0].Up != c.Up || again.Class[0].Disk != c.Disk {
		t.Errorf("its own text is read as %+v, %v", again, err)
	}
	for line, want := range map[string]string{
		`up = "1 apple"`:           "must be an amount",
		`up = "1 M B"`:             "must be an amount",
		`up = "1e6 B"`:             "must be an amount",
		`up = "-1 B"`:              "must be an amount",
		`memory = "8 Mbit"`:        "in bits",
		`memory = "9000000 TiB"`:   "too much",
		`delay = "1"`:              "needs a unit",
		`delay = "-1s"`:            "must be 0 or more",
		`leave = "soon"`:           "must be",
		`loss = nan`:               "from 0 to below 1",
		`nat = { ports = "kept" }`: "has no mapping",
		`nat = { mapping = "x" }`:  "there are endpoint-independent",
		`double = 1.0`:             "from 0 to below 1",
		`copies = 1.5`:             "",
		`disk = { latency = "x" }`: "must be a time",
		`patterns = { supervision = "one-for-one,factor=inf" }`: "factor",
		`patterns = { supervision = "one-for-one,jitter=nan" }`: "jitter",
		`faults = ["disk,slow=1 2s,at=1s"]`:                     "must be a time",
		"[[class]]\nname = \"b\"\nhave = nan":                   "from 0 to 1",
		"[[event]]\nat = \"1s\"\ndo = \"kill\"\nfor = \"\"":     "must be a time",
	} {
		_, err := Read(oneSeed + line + "\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want a line and %q", line, err, want)
		}
	}
}
