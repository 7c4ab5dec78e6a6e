package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestTrace runs the scripts of the trace commands, on the sample traces in
// testdata. KOUZUI_UPDATE=1 rewrites the output that the scripts expect.
func TestTrace(t *testing.T) {
	samples, err := filepath.Glob(filepath.Join("..", "..", "testdata", "*.trace"))
	if err != nil || len(samples) == 0 {
		t.Fatal("no sample traces", err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "trace"),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
			"grow":  grow,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("TMPDIR", e.WorkDir)
			e.Setenv("GORACE", endSoon)
			for _, s := range samples {
				raw, err := os.ReadFile(s)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(e.WorkDir, filepath.Base(s)), raw, 0o644); err != nil {
					return err
				}
			}
			return nil
		},
		UpdateScripts:       os.Getenv("KOUZUI_UPDATE") != "",
		RequireExplicitExec: true,
	})
}

// grow FILE FROM OFFSET END: appends to FILE the bytes of FROM between two
// offsets; END may be "end".
func grow(ts *testscript.TestScript, _ bool, args []string) {
	from := []byte(ts.ReadFile(args[1]))
	first, last := offset(ts, args[2], from), offset(ts, args[3], from)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = f.Write(from[first:last])
	ts.Check(err)
	ts.Check(f.Close())
}

func offset(ts *testscript.TestScript, s string, of []byte) int {
	if s == "end" {
		return len(of)
	}
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}
