package transfer

import (
	"encoding/base64"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestShell: the command reaches the shell as the user wrote it, and on Windows
// no shell that puts values in before it parses.
func TestShell(t *testing.T) {
	const command = `move "$env:KOUZUI_TORRENT_PATH" D:\été`
	if got := shell("linux", command); !slices.Equal(got, []string{"sh", "-c", command}) {
		t.Errorf("elsewhere the shell is %q", got)
	}
	got := shell("windows", command)
	if got[0] != "powershell.exe" || slices.Contains(got, "-Command") {
		t.Errorf("on Windows the shell is %q", got)
	}
	raw, err := base64.StdEncoding.DecodeString(got[len(got)-1])
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i := 0; i+1 < len(raw); i += 2 {
		text.WriteRune(rune(raw[i]) | rune(raw[i+1])<<8)
	}
	if text.String() != command {
		t.Errorf("PowerShell is given %q", text.String())
	}
}

// TestValuesAreNotRun: a name cannot run anything, whatever is in it.
func TestValuesAreNotRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is one of sh")
	}
	const name = "a & echo pwned; $(echo pwned) `echo pwned` %PATH% \" | echo pwned"
	args := shell(runtime.GOOS, `printf %s "$KOUZUI_TORRENT_NAME"`)
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "KOUZUI_TORRENT_NAME="+name)
	if got, err := c.Output(); err != nil || string(got) != name {
		t.Errorf("the command sees %q, %v", got, err)
	}
}
