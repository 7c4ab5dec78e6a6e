package outfile

import (
	"os"
	"path/filepath"
	"testing"

	"kouzui/cmd/kouzui/internal/exit"
)

// TestNothingOfAnotherKindIsWrittenOver: what a path leads to by mistake stays
// as it is.
func TestNothingOfAnotherKindIsWrittenOver(t *testing.T) {
	torrent := "d4:infod6:pieces20:\x01\x02\x03\x00ee"
	for text, fit := range map[string][]Kind{
		"":                                     {Log, Trace, Export, Page},
		"10:00:00 INF a line":                  {Log},
		"\x1b[90m10:00\x1b[0m coloured, é\r\n": {Log},
		Trace.begins + `,"version":1}`:         {Log, Trace},
		Export.begins + `:"ms"}`:               {Log, Export},
		Page.begins + "<title>":                {Log, Page},
		torrent:                                nil,
	} {
		for _, kind := range []Kind{Log, Trace, Export, Page} {
			want := exit.Foreign
			for _, k := range fit {
				if k == kind {
					want = 0
				}
			}
			path := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := Try(path, kind); err == nil != (want == 0) || err != nil && exit.Code(err) != want {
				t.Errorf("%s in place of %.20q: %v", kind.name, text, err)
			}
			f, err := Open(path, kind)
			if err == nil != (want == 0) || err != nil && exit.Code(err) != want {
				t.Errorf("%s into %.20q: %v", kind.name, text, err)
			}
			if err == nil {
				f.Close()
			} else {
				content(t, path, text)
			}
		}
	}
}

// TestWhatIsReadIsSpared, by whatever name it goes.
func TestWhatIsReadIsSpared(t *testing.T) {
	file, link := precious(t)
	for _, out := range []string{file, link} {
		if err := Spares(out, file); exit.Code(err) != exit.Usage {
			t.Errorf("%s: %v", out, err)
		}
	}
	for _, out := range []string{file + "2", filepath.Dir(file)} {
		if err := Spares(out, file); err != nil {
			t.Errorf("%s: %v", out, err)
		}
	}
}
