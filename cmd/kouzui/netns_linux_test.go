package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoNamespaceOutlivesAKilledRun: a run is killed while its nodes have
// namespaces. All of its processes end, and with the last one in it each
// namespace.
func TestNoNamespaceOutlivesAKilledRun(t *testing.T) {
	if !namespacesPossible() {
		t.Skip("only root can make network namespaces, with ip, tc and sysctl")
	}
	f := newField(t)
	slow := strings.ReplaceAll(tinySwarm, `up = "50 KiB"`, "copies = 1\ndelay = \"10ms\"") + "[[class]]\nname = \"late\"\narrive = \"30m\"\n"
	if err := os.WriteFile(filepath.Join(f.dir, "slow.toml"), []byte(slow), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(f.program, "lab", "run", "slow.toml", "--netns", "--dir", f.dir)
	c.Dir = f.dir
	said, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	complete := false
	for lines := bufio.NewScanner(said); !complete && lines.Scan(); {
		complete = strings.HasPrefix(lines.Text(), "4 of 5 complete")
	}
	all := descendants(c.Process.Pid)
	inside := map[string]bool{}
	var ends []int
	for _, pid := range all {
		network, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			t.Fatal(err)
		}
		inside[network] = true
		end, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(end)
		ends = append(ends, end)
	}
	// The run with the tracker and the remover of files, and five nodes.
	if !complete || len(all) != 8 || len(inside) != 6 {
		t.Errorf("complete: %t, with %d processes in %d networks", complete, len(all), len(inside))
	}
	if own, err := os.Readlink("/proc/self/ns/net"); err != nil || inside[own] {
		t.Errorf("a process is in the network of this machine: %v", err)
	}
	_ = c.Process.Kill()
	for _, end := range ends {
		for {
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(end), Events: unix.POLLIN}}, -1); err != unix.EINTR {
				break
			}
		}
	}
	_ = c.Wait()
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if network, err := os.Readlink(link); err == nil && inside[network] {
			t.Errorf("%s is still in a network of the run", link)
		}
	}
	if left, err := filepath.Glob(filepath.Join(f.dir, "kouzui-run-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// descendants are a process and all that it has started, and so on.
func descendants(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path) // it may have ended
		_, after, _ := bytes.Cut(text, []byte(") "))
		var state string
		var one, parent int
		if _, err := fmt.Sscan(filepath.Base(filepath.Dir(path)), &one); err != nil {
			continue
		}
		if _, err := fmt.Sscan(string(after), &state, &parent); err == nil {
			children[parent] = append(children[parent], one)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// TestNamespacesAreRefused: where they cannot be made, one line says why.
func TestNamespacesAreRefused(t *testing.T) {
	t.Setenv("PATH", "")
	var out, said bytes.Buffer
	code := run([]string{"lab", "run", "missing.toml", "--netns"}, strings.NewReader(""), &out, &said)
	if text := said.String(); code != 28 || !strings.HasPrefix(text, "kouzui: --netns cannot be used: ") || strings.Count(text, "\n") != 1 {
		t.Errorf("exit code %d: %s", code, text)
	}
}
